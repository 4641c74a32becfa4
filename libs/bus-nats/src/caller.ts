import { checkPayloadVersion, ErrorReply, MessageKind, requestSubject } from '@edgesync/bus-contract';
import { EdgeError, isEdgeError, type ErrorCode } from '@edgesync/errors';
import { ask, AttemptFailed, type Answer, type Question } from './attempt.js';
import type { Bus } from './bus.js';
import { backOffMs, Semaphore, sleep } from '@edgesync/async';
import { ReplyInbox } from './reply-inbox.js';
import { ATTEMPT_MS, CALL_MS, CLIENT_CALLS, CLIENT_QUEUE, PATIENCE_MS, PAUSES } from './tuning.js';

/** How long calls may take, in milliseconds. */
export interface CallerOptions {
  /** In all. */
  readonly timeout?: number;
  /** Until an owner and a connection must be there. */
  readonly patience?: number;
  /** Until a silent attempt is repeated. */
  readonly attempt?: number;
}

/** A request to the owner of a database. */
export interface Call extends Omit<Question, 'subject' | 'version'> {
  readonly database: string;
  readonly operation: {
    readonly name: string;
    /** Versions of the payloads. */
    readonly request: { readonly version: number };
    readonly reply: { readonly version: number };
  };
  /** The upload gives the same content each time it is read. */
  readonly repeatable?: boolean;
}

/**
 * Looks at an answer. What it throws decides about a repetition like an error of the owner.
 * @throws EdgeError
 */
export type Accept<T> = (answer: Answer) => Promise<T> | T;

/** Answers that mean: not by this owner, or not now. Another attempt may be luckier. */
const PASSING: ReadonlySet<ErrorCode> = new Set(['storage.unavailable', 'storage.closed', 'server.draining']);

/**
 * Calls the owners of databases. A call is repeated until it is answered or its time is over; that is safe, because
 * reads change nothing and writes carry a key or an ID of their own.
 */
export class Caller {
  private readonly inbox: ReplyInbox;
  private readonly calls = new Semaphore({ running: CLIENT_CALLS, waiting: CLIENT_QUEUE });
  private readonly timeout: number;
  private readonly patience: number;
  private readonly firstAttempt: number;
  /** Requests sent, repeated ones included. */
  requests = 0;

  constructor(
    private readonly bus: Bus,
    options: CallerOptions = {},
  ) {
    this.inbox = new ReplyInbox(bus);
    this.timeout = options.timeout ?? CALL_MS;
    this.patience = Math.min(options.patience ?? PATIENCE_MS, this.timeout);
    this.firstAttempt = options.attempt ?? ATTEMPT_MS;
  }

  /** @throws EdgeError of the owner, `storage.unavailable`, `server.overloaded`, `bus.*` */
  call(call: Call): Promise<Answer>;
  call<T>(call: Call, accept: Accept<T>): Promise<T>;
  call<T>(call: Call, accept: Accept<T | Answer> = (answer) => answer): Promise<T | Answer> {
    const start = performance.now();
    return this.calls.run(() => this.repeat(call, accept, start));
  }

  close(): void {
    this.inbox.close();
  }

  private async repeat<T>(call: Call, accept: Accept<T>, start: number): Promise<T> {
    const upload = call.upload && new Once(call.upload);
    const { operation } = call;
    const question: Question = {
      ...call,
      ...(upload && { upload }),
      subject: requestSubject(call.database, operation.name),
      version: operation.request.version,
    };
    for (let attempt = 0; ; attempt++) {
      const left = Math.max(1, start + this.timeout - performance.now());
      let outcome = this.bus.connected
        ? await this.tryOnce(question, left, attempt)
        : new AttemptFailed('disconnected');
      if (!(outcome instanceof Error)) {
        checkPayloadVersion(`the reply to ${operation.name}`, outcome.message.version, operation.reply.version);
        const answered = performance.now();
        try {
          return await accept(outcome);
        } catch (error) {
          outcome = error as Error;
        }
        // An owner that answered was there; its successor gets as much time.
        start += performance.now() - answered;
      }
      const now = performance.now();
      const silent = outcome instanceof AttemptFailed && outcome.why === 'silent';
      // Silence has cost time already: an owner that was slow gets the whole time of the call.
      const over = now - start >= (silent ? this.timeout : this.patience);
      if (over || !isPassing(outcome) || (upload?.started && !call.repeatable))
        throw toEdgeError(outcome, call.database);
      await sleep(Math.max(0, Math.min(start + this.timeout - now, backOffMs(attempt + 1, PAUSES))));
    }
  }

  private async tryOnce(question: Question, left: number, attempt: number): Promise<Answer | Error> {
    this.requests++;
    try {
      const answer = await ask(this.bus, this.inbox, question, left, Math.min(left, this.firstAttempt * 2 ** attempt));
      return answer.message.kind === MessageKind.fault ? ErrorReply.parse(answer.message.meta).toError() : answer;
    } catch (error) {
      return error as Error;
    }
  }
}

/** Content that can be read once: whether it was decides whether a call can be repeated. */
class Once implements AsyncIterable<Uint8Array> {
  started = false;

  constructor(private readonly source: AsyncIterable<Uint8Array>) {}

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    this.started = true;
    return this.source[Symbol.asyncIterator]();
  }
}

function isPassing(error: Error): boolean {
  return error instanceof AttemptFailed || (isEdgeError(error) && PASSING.has(error.code));
}

const REASONS = {
  nobody: 'no storage process serves',
  silent: 'the storage process did not answer for',
  disconnected: 'the connection to NATS was lost while asking for',
  broken: 'a transfer broke off while asking for',
};

/** The error of the catalogue for an attempt that came to nothing. */
export function toEdgeError(error: Error, database: string): Error {
  if (!(error instanceof AttemptFailed)) return error;
  return new EdgeError('storage.unavailable', `${REASONS[error.why]} ${database}; try again shortly`);
}
