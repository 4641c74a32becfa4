import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** One request as bytes, made once per call: the generator must cost less than the server. */
export type RequestSource = (sequence: number) => Buffer;

export interface LoadOptions {
  readonly port: number;
  readonly connections: number;
  /** Requests in all. */
  readonly requests: number;
  readonly next: RequestSource;
  /** Status every response must have. */
  readonly status: number;
  /** CA of the server's certificate, in PEM: the load comes over TLS. */
  readonly ca?: string;
}

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly bytes: number;
}

/** Closed loop: every connection sends its next request when the response to the last one is complete. */
export async function httpLoad(options: LoadOptions): Promise<LoadResult> {
  const latencies = new Float64Array(options.requests);
  const state = { started: 0, finished: 0, bytes: 0 };
  const start = performance.now();
  await Promise.all(
    Array.from({ length: options.connections }, () => new LoadConnection(options, state, latencies).run()),
  );
  const seconds = (performance.now() - start) / 1_000;
  latencies.sort();
  const quantile = (q: number): number => round(latencies[Math.floor((latencies.length - 1) * q)] ?? 0);
  return {
    requests: options.requests,
    seconds: round(seconds),
    perSecond: Math.round(options.requests / seconds),
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    bytes: state.bytes,
  };
}

const round = (value: number): number => Math.round(value * 100) / 100;

class LoadConnection {
  private readonly socket: Socket;
  private pending: Buffer = Buffer.alloc(0);
  private sentAt = 0;
  private index = 0;
  private done!: () => void;
  private fail!: (error: Error) => void;

  constructor(
    private readonly options: LoadOptions,
    private readonly state: { started: number; finished: number; bytes: number },
    private readonly latencies: Float64Array,
  ) {
    const { port, ca } = options;
    this.socket = ca === undefined ? connect(port, '127.0.0.1') : connectTls({ port, host: '127.0.0.1', ca });
    this.socket.setNoDelay(true);
  }

  run(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.done = resolve;
      this.fail = reject;
      this.socket.on(this.options.ca === undefined ? 'connect' : 'secureConnect', () => this.send());
      this.socket.on('data', (chunk) => this.receive(chunk));
      this.socket.on('error', reject);
      this.socket.on('close', () => reject(new Error('the server closed a connection')));
    });
  }

  private send(): void {
    if (this.state.started >= this.options.requests) {
      this.socket.removeAllListeners('close');
      this.socket.end();
      this.done();
      return;
    }
    this.index = this.state.started++;
    this.sentAt = performance.now();
    this.socket.write(this.options.next(this.index));
  }

  private receive(chunk: Buffer): void {
    this.state.bytes += chunk.length;
    this.pending = this.pending.length === 0 ? chunk : Buffer.concat([this.pending, chunk]);
    const length = responseLength(this.pending, this.options.status);
    if (length instanceof Error) return this.fail(length);
    if (length === undefined || this.pending.length < length) return;
    this.pending = this.pending.subarray(length);
    this.latencies[this.index] = performance.now() - this.sentAt;
    this.send();
  }
}

const HEAD_END = Buffer.from('\r\n\r\n');
const CHUNKS_END = Buffer.from('0\r\n\r\n');

/** Bytes of the response at the head of `data`; undefined while it cannot be determined. */
function responseLength(data: Buffer, status: number): number | undefined | Error {
  const headEnd = data.indexOf(HEAD_END);
  if (headEnd < 0) return undefined;
  const head = data.toString('latin1', 0, headEnd).toLowerCase();
  if (!head.startsWith(`http/1.1 ${status}`)) return new Error(`unexpected response: ${data.toString('utf8', 0, 400)}`);
  const at = head.indexOf('content-length: ');
  if (at >= 0) return headEnd + 4 + Number.parseInt(head.slice(at + 16), 10);
  return data.subarray(-5).equals(CHUNKS_END) ? data.length : undefined;
}
