import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export interface LinkConditions {
  /** Milliseconds each way. */
  readonly delayMs?: number;
  /** Bytes a second each way. */
  readonly bytesPerSecond?: number;
}

/** A TCP link that can be slow, cut, or silent. */
export class LinkProxy implements AsyncDisposable {
  /** Connections that were made through it. */
  connections = 0;
  /** Bytes that came from clients. */
  bytesUp = 0;
  bytesDown = 0;
  conditions: LinkConditions = {};

  private readonly sockets = new Set<Socket>();
  private isOpen = true;
  private isSilent = false;
  /** Cut when so many bytes have passed in a direction. */
  private cutAfter: { up: number; down: number } | undefined;
  private silentAfter: { up: number; down: number } | undefined;
  private readonly silenced = new WeakSet<Socket>();

  private constructor(
    private readonly server: Server,
    /** Port of what it leads to; new connections go there. */
    public target: number,
  ) {
    server.on('connection', (socket) => this.accept(socket));
  }

  static async to(port: number, conditions: LinkConditions = {}): Promise<LinkProxy> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new LinkProxy(server, port);
    proxy.conditions = conditions;
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Cuts what is open; new connections are cut too until {@link restore}. */
  cut(): void {
    this.isOpen = false;
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  /** Cuts once, when so many more bytes went one way or the other; new connections work. */
  cutOnceAfter({ up = Infinity, down = Infinity }: { up?: number; down?: number }): void {
    this.cutAfter = { up: this.bytesUp + up, down: this.bytesDown + down };
  }

  /** Nothing passes any more, without a close or reset. */
  silence(): void {
    this.isSilent = true;
  }

  /**
   * Nothing passes any more over what is open when so many more bytes went one way or the other, without a
   * close or reset; new connections work.
   */
  silenceOnceAfter({ up = Infinity, down = Infinity }: { up?: number; down?: number }): void {
    this.silentAfter = { up: this.bytesUp + up, down: this.bytesDown + down };
  }

  /** Sockets that are open at this moment, two for each connection. */
  get openSockets(): number {
    return this.sockets.size;
  }

  restore(): void {
    this.isOpen = true;
    this.isSilent = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.server.close();
    await once(this.server, 'close');
  }

  private accept(client: Socket): void {
    if (!this.isOpen) {
      client.on('error', () => {});
      client.resetAndDestroy();
      return;
    }
    this.connections++;
    const server = connect(this.target, '127.0.0.1');
    this.join(client, server, 'up');
    this.join(server, client, 'down');
  }

  private join(from: Socket, to: Socket, direction: 'up' | 'down'): void {
    this.sockets.add(from);
    const line = new DelayLine((chunk) => void (to.destroyed || to.write(chunk)));
    from.on('data', (chunk) => {
      if (this.isSilent || this.silenced.has(from)) return;
      if (direction === 'up') this.bytesUp += chunk.length;
      else this.bytesDown += chunk.length;
      if (this.cutAfter && (this.bytesUp >= this.cutAfter.up || this.bytesDown >= this.cutAfter.down)) {
        this.cutAfter = undefined;
        for (const socket of this.sockets) socket.resetAndDestroy();
        return;
      }
      if (this.silentAfter && (this.bytesUp >= this.silentAfter.up || this.bytesDown >= this.silentAfter.down)) {
        this.silentAfter = undefined;
        for (const socket of this.sockets) this.silenced.add(socket);
        return;
      }
      const backlogMs = line.send(chunk, this.conditions);
      if (backlogMs <= BUFFERED_MS) return;
      from.pause();
      setTimeout(() => from.resume(), backlogMs - BUFFERED_MS);
    });
    from.on('error', () => {});
    from.on('close', () => {
      this.sockets.delete(from);
      const { delayMs = 0 } = this.conditions;
      if (delayMs > 0) setTimeout(() => to.destroy(), delayMs + 50);
      else to.destroy();
    });
  }
}

/** As much as the link sends in this time waits in it; a sender that is faster is held up. */
const BUFFERED_MS = 200;

/** Delivers chunks in order, each when it would come out of a link of limited speed. */
class DelayLine {
  private readonly queue: { readonly at: number; readonly chunk: Buffer }[] = [];
  private busyUntil = 0;
  private isWaiting = false;

  constructor(private readonly deliver: (chunk: Buffer) => void) {}

  /** @returns for how many milliseconds the link is busy with what it was given */
  send(chunk: Buffer, { delayMs = 0, bytesPerSecond = Infinity }: LinkConditions): number {
    const now = performance.now();
    this.busyUntil = Math.max(this.busyUntil, now) + (chunk.length / bytesPerSecond) * 1_000;
    this.queue.push({ at: this.busyUntil + delayMs, chunk });
    if (!this.isWaiting) this.drain();
    return this.busyUntil - now;
  }

  private readonly drain = (): void => {
    this.isWaiting = false;
    while (this.queue[0] && this.queue[0].at - performance.now() < 1) this.deliver(this.queue.shift()!.chunk);
    const [next] = this.queue;
    if (!next) return;
    this.isWaiting = true;
    setTimeout(this.drain, next.at - performance.now());
  };
}
