import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const HEAD_END = '\r\n\r\n';

/** Continuous feeds on one collection, each on a connection of its own, and when each saw what. */
export class OpenFeeds implements Disposable {
  private readonly sockets: Socket[] = [];
  private wanted = '';
  private missing = 0;
  private onAll: () => void = () => {};

  constructor(
    private readonly port: number,
    private readonly query: string,
  ) {}

  get count(): number {
    return this.sockets.length;
  }

  /** Opens more feeds, some at a time; resolves when all have their headers. */
  async open(count: number, atOnce = 50): Promise<void> {
    for (let done = 0; done < count; done += atOnce)
      await Promise.all(Array.from({ length: Math.min(atOnce, count - done) }, () => this.openOne()));
  }

  /** Opens feeds whose client reads nothing at all, some a little later than others. */
  async openDeaf(count: number): Promise<void> {
    for (let done = 0; done < count; done++) {
      const socket = connect(this.port, '127.0.0.1');
      socket.on('error', () => {});
      await once(socket, 'connect');
      socket.pause();
      socket.write(`GET /db/_changes?${this.query}&since=${done} HTTP/1.1\r\nHost: bench\r\n\r\n`);
      this.sockets.push(socket);
    }
  }

  /** Resolves when every feed has brought a row with this text. Texts must be as long as an ID and come one at a time. */
  all(text: string): Promise<void> {
    this.wanted = text;
    this.missing = this.sockets.length;
    return new Promise((resolve) => (this.onAll = resolve));
  }

  [Symbol.dispose](): void {
    for (const socket of this.sockets) socket.destroy();
  }

  private async openOne(): Promise<void> {
    const socket = connect(this.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.setEncoding('latin1');
    socket.write(`GET /db/_changes?${this.query} HTTP/1.1\r\nHost: bench\r\n\r\n`);
    let head = '';
    while (!head.includes(HEAD_END)) head += ((await once(socket, 'data')) as [string])[0];
    if (!head.startsWith('HTTP/1.1 200')) throw new Error(`a feed was refused: ${head}`);
    let rest = '';
    socket.on('data', (chunk: string) => {
      rest = (rest + chunk).slice(-4_096);
      if (this.wanted === '' || !rest.includes(this.wanted)) return;
      rest = '';
      if (--this.missing === 0) this.onAll();
    });
    this.sockets.push(socket);
  }
}
