import {
  decodeMessage,
  encodeMessage,
  encodePieces,
  FLAG_STREAMED,
  surelyExceeds,
  MessageKind,
  RequestHeader,
  type Content,
  type Message,
} from '@edgesync/bus-contract';
import type { Bus } from './bus.js';
import { ChunkReceiver } from './chunk-receiver.js';
import { ChunkSender } from './chunk-sender.js';
import type { ReplyInbox } from './reply-inbox.js';

/** The message to send, once. */
export interface Question {
  readonly subject: string;
  readonly version: number;
  readonly payload: unknown;
  readonly bodies: readonly (string | Uint8Array)[];
  /** Content that is sent in chunks whatever its size, instead of `bodies`. */
  readonly upload?: AsyncIterable<Uint8Array>;
  readonly idempotencyKey?: string;
  /** Hand a large reply over as it arrives; otherwise it is put together first. */
  readonly streamReply?: boolean;
}

/** A reply, or the fault the other side answered with. */
export interface Answer {
  readonly message: Message;
  /** The bytes of the reply, if it comes in chunks and was asked for so. */
  readonly stream?: ChunkReceiver;
}

/** Why an attempt came to nothing. What was asked for may have been done all the same. */
export class AttemptFailed extends Error {
  override readonly name = 'AttemptFailed';

  constructor(readonly why: 'nobody' | 'silent' | 'disconnected' | 'broken') {
    super(why);
  }
}

/**
 * Sends one request and waits for its answer, in either direction in chunks if it is large.
 * @param budget milliseconds the whole call has left
 * @param patience milliseconds until the first sign of an answer
 * @throws AttemptFailed
 */
export function ask(
  bus: Bus,
  inbox: ReplyInbox,
  question: Question,
  budget: number,
  patience: number,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let sender: ChunkSender | undefined;
    let receiver: ChunkReceiver | undefined;
    let timer: NodeJS.Timeout;
    const waitForAnswer = (): void => {
      timer = setTimeout(() => fail(new AttemptFailed('silent')), patience);
    };

    const fail = (error: Error): void => {
      clearTimeout(timer);
      address.close();
      sender?.fail(error);
      receiver?.fail(error);
      reject(error);
    };
    const answer = (message: Message): void => {
      clearTimeout(timer);
      address.close();
      sender?.fail(new AttemptFailed('broken'));
      resolve({ message });
    };
    const receive = (message: Message, replyTo: string): void => {
      clearTimeout(timer);
      receiver = new ChunkReceiver(
        (bytes) => bus.publish(replyTo, bytes),
        () => address.close(),
      );
      if (question.streamReply) return resolve({ message, stream: receiver });
      receiver.whole().then(
        (bytes) => answer(decodeMessage(bytes)),
        () => fail(new AttemptFailed('broken')),
      );
    };
    const upload = (replyTo: string): void => {
      if (sender) return;
      clearTimeout(timer);
      sender = new ChunkSender((bytes) => bus.publish(replyTo, bytes, address.subject));
      const source = question.upload ?? encodePieces(MessageKind.request, question.version, contentOf(question));
      sender.send(source).then(waitForAnswer, (error: Error) => fail(error));
    };

    const address = inbox.create({
      message: (message, replyTo) => {
        if (message.kind === MessageKind.fault) answer(message);
        else if (message.kind === MessageKind.reply)
          if ((message.flags & FLAG_STREAMED) === 0) answer(message);
          else receive(message, replyTo);
        else if (message.kind === MessageKind.proceed) upload(replyTo);
        else if (message.kind === MessageKind.credit) sender?.accept(message);
        else if (message.kind === MessageKind.cancel) {
          sender?.accept(message);
          receiver?.accept(message);
        } else receiver?.accept(message);
      },
      unreadable: fail,
      nobody: () => fail(new AttemptFailed('nobody')),
      disconnected: () => fail(new AttemptFailed('disconnected')),
    });
    waitForAnswer();
    bus.publish(question.subject, encodeQuestion(bus, question, budget), address.subject);
  });
}

function encodeQuestion(bus: Bus, question: Question, budget: number): Uint8Array {
  const { version, payload, bodies, upload, idempotencyKey } = question;
  const limit = bus.maxMessage;
  const write = (streamed: boolean): Uint8Array => {
    const header = new RequestHeader(Math.ceil(budget), idempotencyKey, streamed);
    // Only the header of a large request goes ahead: the whole of it follows in chunks.
    const meta = header.wrap(streamed && !upload ? {} : payload);
    return encodeMessage(MessageKind.request, version, meta, streamed ? [] : bodies);
  };
  if (upload || surelyExceeds({ meta: payload, bodies }, limit)) return write(true);
  const bytes = write(false);
  return bytes.byteLength <= limit ? bytes : write(true);
}

const contentOf = ({ payload, bodies }: Question): Content => ({ meta: payload, bodies });
