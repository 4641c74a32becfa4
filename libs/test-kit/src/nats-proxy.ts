import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** One message as the server passes it on to a client. */
export interface PassingMessage {
  readonly subject: string;
  readonly bytes: number;
}

/** Stands between clients and a NATS server and does to them what bad networks do. */
export interface NatsProxy {
  readonly url: string;
  /** Messages to clients for which this is true are lost. */
  drop: ((message: PassingMessage) => boolean) | undefined;
  /** Milliseconds by which everything to clients is late. */
  delay: number;
  /** Cuts every connection; clients may connect again. */
  cut(): void;
  close(): Promise<void>;
}

export async function startNatsProxy(port: number): Promise<NatsProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    const filter = new MessageFilter((message) => proxy.drop?.(message) ?? false);
    let late = 0;
    let due = 0;
    client.pipe(upstream);
    upstream.on('data', (data: Buffer) => {
      const passed = filter.pass(data);
      if (passed.length === 0) return;
      const now = performance.now();
      // Nothing overtakes what is late already.
      due = late > 0 ? Math.max(due, now + proxy.delay) : now + proxy.delay;
      if (due <= now) return void client.write(passed);
      late++;
      setTimeout(() => {
        late--;
        client.write(passed);
      }, due - now);
    });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const proxy: NatsProxy = {
    url: `nats://127.0.0.1:${(server.address() as { port: number }).port}`,
    drop: undefined,
    delay: 0,
    cut,
    close: async () => {
      server.close();
      cut();
      await once(server, 'close');
    },
  };
  return proxy;
}

/** Takes single messages out of the server's side of the NATS protocol. */
class MessageFilter {
  private rest: Buffer = Buffer.alloc(0);

  constructor(private readonly drop: (message: PassingMessage) => boolean) {}

  pass(data: Buffer): Buffer {
    this.rest = this.rest.length === 0 ? data : Buffer.concat([this.rest, data]);
    const passed: Buffer[] = [];
    for (;;) {
      const lineEnd = this.rest.indexOf('\r\n');
      if (lineEnd < 0) break;
      const words = this.rest.toString('latin1', 0, lineEnd).split(' ');
      const carries = words[0] === 'MSG' || words[0] === 'HMSG';
      const bytes = carries ? Number(words.at(-1)) : 0;
      const end = lineEnd + 2 + (carries ? bytes + 2 : 0);
      if (this.rest.length < end) break;
      if (!carries || !this.drop({ subject: words[1]!, bytes })) passed.push(this.rest.subarray(0, end));
      this.rest = this.rest.subarray(end);
    }
    return Buffer.concat(passed);
  }
}
