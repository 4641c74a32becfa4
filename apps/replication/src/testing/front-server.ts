import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TlsOptions } from 'node:tls';

export interface FrontOptions {
  readonly tls?: TlsOptions;
  /** Whether an upgrade with these headers is let through; others get 401. */
  readonly admits?: (headers: IncomingHttpHeaders) => boolean;
  /** Further headers of the answer. */
  readonly answerHeaders?: readonly string[];
}

/** Stands before a server: ends TLS, looks at credentials, and passes upgrades on. */
export class FrontServer implements AsyncDisposable {
  /** Headers of every upgrade request. */
  readonly seen: IncomingHttpHeaders[] = [];
  admits: (headers: IncomingHttpHeaders) => boolean;
  private readonly sockets = new Set<Duplex>();

  private constructor(
    private readonly server: Server,
    target: number,
    options: FrontOptions,
  ) {
    this.admits = options.admits ?? (() => true);
    server.on('upgrade', (request, socket: Duplex, head: Buffer) => {
      this.seen.push(request.headers);
      this.keep(socket);
      if (!this.admits(request.headers)) {
        socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
        return;
      }
      const onward = connect(target, '127.0.0.1');
      this.keep(onward);
      const lines = request.rawHeaders.flatMap((text, index, all) =>
        index % 2 === 0 ? [`${text}: ${all[index + 1]}`] : [],
      );
      const kept = lines.filter((line) => !/^(?:authorization|cookie):/i.test(line));
      onward.write(`GET ${request.url} HTTP/1.1\r\n${kept.join('\r\n')}\r\n\r\n`);
      onward.write(head);
      onward.once('data', (answer: Buffer) => {
        const extra = (options.answerHeaders ?? []).map((line) => `${line}\r\n`).join('');
        socket.write(answer.toString('latin1').replace('\r\n', `\r\n${extra}`), 'latin1');
        onward.pipe(socket);
        socket.pipe(onward);
      });
      onward.on('close', () => socket.destroy());
      socket.on('close', () => onward.destroy());
    });
  }

  static async before(target: number, options: FrontOptions = {}): Promise<FrontServer> {
    const server = options.tls ? createTlsServer(options.tls) : createServer();
    server.on('tlsClientError', () => {});
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FrontServer(server, target, options);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private keep(socket: Duplex): void {
    this.sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.sockets.delete(socket));
  }
}

/** A proxy that takes `CONNECT`, with TLS and credentials of its own if they are given. */
export class ConnectProxy implements AsyncDisposable {
  /** `host:port` of every tunnel. */
  readonly tunnels: string[] = [];
  private readonly sockets = new Set<Duplex>();

  private constructor(private readonly server: Server) {}

  static async start(authorization?: string, tls?: TlsOptions): Promise<ConnectProxy> {
    const server = tls ? createTlsServer(tls) : createServer();
    const proxy = new ConnectProxy(server);
    server.on('connect', (request, client: Duplex, head: Buffer) => {
      proxy.sockets.add(client);
      client.on('error', () => {});
      if (authorization !== undefined && request.headers['proxy-authorization'] !== authorization) {
        client.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
        return;
      }
      proxy.tunnels.push(request.url!);
      const [host, port] = request.url!.split(':') as [string, string];
      const onward: Socket = connect(Number(port), host, () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n');
        onward.write(head);
        onward.pipe(client).pipe(onward);
      });
      proxy.sockets.add(onward);
      onward.on('error', () => client.destroy());
      onward.on('close', () => client.destroy());
      client.on('close', () => onward.destroy());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}
