import { once } from 'node:events';
import { Agent, request as send, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Loose } from './checked-client.js';

export interface FeedRequestOptions {
  readonly method?: string;
  readonly body?: object | string;
  readonly headers?: Record<string, string>;
}

/** A reply that goes on: what has come of it so far, and waiting for more. */
export class OpenFeed implements Disposable {
  text = '';
  /** Whether the server has ended the reply properly. */
  ended = false;
  private wake: () => void = () => {};

  private constructor(
    private readonly request: ClientRequest,
    readonly response: IncomingMessage,
  ) {
    response.setEncoding('utf8');
    response.on('error', () => {});
    response.on('data', (chunk: string) => {
      this.text += chunk;
      this.wake();
    });
    response.on('end', () => {
      this.ended = response.complete;
      this.wake();
    });
    response.on('close', () => this.wake());
  }

  /** Resolves when the headers are there. */
  static async open(url: string, { method = 'GET', body, headers }: FeedRequestOptions = {}): Promise<OpenFeed> {
    const agent = new Agent({ keepAlive: false });
    const request = send(url, { method, headers, agent });
    request.end(typeof body === 'object' ? JSON.stringify(body) : body);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    request.on('error', () => {});
    return new OpenFeed(request, response);
  }

  /** Waits until the text is as wanted. @throws Error if the reply is over and it is not */
  async until(wanted: (text: string) => boolean): Promise<string> {
    while (!wanted(this.text)) {
      if (this.response.closed) throw new Error(`the feed is over: ${this.text}`);
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
    return this.text;
  }

  /** The changes of a continuous feed, when there are so many. */
  async rows(count: number): Promise<Loose[]> {
    return linesOf(await this.until((text) => linesOf(text).length >= count));
  }

  /** Waits for the end of the reply. @returns all of it */
  async end(): Promise<string> {
    while (!this.response.closed) await new Promise<void>((resolve) => (this.wake = resolve));
    return this.text;
  }

  /** Leaves, as a browser's tab that is closed. */
  leave(): void {
    this.request.destroy();
  }

  [Symbol.dispose](): void {
    this.leave();
  }
}

const linesOf = (text: string): Loose[] =>
  text
    .split('\n')
    .slice(0, -1)
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line));
