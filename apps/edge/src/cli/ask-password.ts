import type { ReadStream } from 'node:tty';

const ENTER = /[\r\n]/;
const BACKSPACE = /[\b\u007f]/;
const INTERRUPT = '\u0003';
const END = '\u0004';

/** The part of standard input that is needed: a terminal, or a pipe or file. */
export type PasswordInput = NodeJS.ReadableStream & Partial<Pick<ReadStream, 'isTTY' | 'setRawMode'>>;

/** Asks for passwords, a line each. On a terminal what is typed is not shown; otherwise lines are read as they come. */
export class PasswordPrompt {
  private pending = '';
  private decoding = false;

  constructor(
    private readonly input: PasswordInput,
    private readonly output: { write(text: string): unknown },
  ) {}

  /** @throws Error if the input ends before a line does, or Ctrl-C is typed */
  async ask(question: string): Promise<string> {
    const terminal = this.input.isTTY === true;
    if (terminal) this.output.write(question);
    // Once only: a stream that already holds decoded text must not decode it again.
    if (!this.decoding) this.input.setEncoding('utf8');
    this.decoding = true;
    if (terminal) this.input.setRawMode?.(true);
    try {
      return terminal ? await this.typedLine() : await this.readLine();
    } finally {
      if (terminal) {
        this.input.setRawMode?.(false);
        this.output.write('\n');
      }
      this.input.pause();
    }
  }

  /** The next line of a pipe; its last line may lack the line end. */
  private async readLine(): Promise<string> {
    for (;;) {
      const end = this.pending.indexOf('\n');
      if (end >= 0) {
        const line = this.pending.slice(0, end);
        this.pending = this.pending.slice(end + 1);
        return line.replace(/\r$/, '');
      }
      const chunk = await this.nextChunk();
      if (chunk === undefined) {
        const line = this.pending;
        this.pending = '';
        if (line === '') throw new Error('the input ended before the password');
        return line;
      }
      this.pending += chunk;
    }
  }

  /** The next line of a terminal in raw mode, with backspace working. */
  private async typedLine(): Promise<string> {
    let line: string[] = [];
    for (;;) {
      const typed = [...this.pending];
      for (let index = 0; index < typed.length; index++) {
        const char = typed[index]!;
        this.pending = typed.slice(index + 1).join('');
        if (ENTER.test(char)) return line.join('');
        if (char === INTERRUPT || char === END) throw new Error('interrupted');
        if (BACKSPACE.test(char)) line = line.slice(0, -1);
        else line.push(char);
      }
      const chunk = await this.nextChunk();
      if (chunk === undefined) throw new Error('the input ended before the password');
      this.pending = chunk;
    }
  }

  private nextChunk(): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      const done = (settle: () => void) => {
        this.input.pause();
        this.input.off('data', onData).off('end', onEnd).off('error', onError);
        settle();
      };
      const onData = (chunk: string | Buffer) => done(() => resolve(chunk.toString()));
      const onEnd = () => done(() => resolve(undefined));
      const onError = (error: Error) => done(() => reject(error));
      if (!this.input.readable) return resolve(undefined);
      this.input.on('data', onData).on('end', onEnd).on('error', onError).resume();
    });
  }
}
