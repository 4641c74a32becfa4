import {
  databaseSubjects,
  decodeMessage,
  encodeMessage,
  MessageKind,
  readRequest,
  storageOperation,
  type Named,
  type Operation,
  type ReceivedRequest,
  type StorageOwner,
} from '@edgesync/bus-contract';
import { EdgeError } from '@edgesync/errors';
import type { Msg, Subscription } from '@nats-io/transport-node';
import { answer, type Request, type Result } from './answer.js';
import type { Bus } from './bus.js';
import { ChunkReceiver } from './chunk-receiver.js';
import { Doorbells } from './doorbells.js';
import { Semaphore } from '@edgesync/async';

import { ReplyInbox } from './reply-inbox.js';
import { Replies } from './replies.js';
import { SERVER_QUEUE, SERVER_QUEUE_BYTES, SERVER_REQUESTS, SERVER_STREAMS } from './tuning.js';

export interface StorageServerOptions {
  /** Does what a request asks for; by default {@link answer} from the storage that is served. */
  readonly handle?: (operation: Named<Operation>, request: Request) => Promise<Result>;
  /** Receives errors that no caller has caused. */
  readonly report?: (error: unknown) => void;
}

/** The opener reports it. */
const NOT_OPENED = (): void => undefined;

/** A database being served. */
interface Served {
  readonly database: string;
  readonly prefix: string;
  readonly isOwned: () => boolean;
  readonly subscription: Subscription;
  readonly doorbells: Doorbells;
  readonly semaphore: Semaphore;
  /** Streams of the database that are under way. */
  readonly streams: Set<AbortController>;
}

/**
 * Serves the storage ports of databases to other processes. It answers only for databases whose ownership is proved
 * at that moment: an owner that was suspended keeps silent, and the request is repeated to the one that took over.
 */
export class StorageServer {
  private readonly served = new Map<string, Served>();
  private readonly inbox: ReplyInbox;
  private readonly replies: Replies;
  private readonly handle: (operation: Named<Operation>, request: Request) => Promise<Result>;
  private readonly report: (error: unknown) => void;
  private uploads = 0;

  constructor(
    private readonly bus: Bus,
    private readonly storage: StorageOwner,
    options: StorageServerOptions = {},
  ) {
    this.inbox = new ReplyInbox(bus);
    this.report = options.report ?? (() => undefined);
    this.handle = options.handle ?? ((operation, request) => answer(operation, storage, request));
    this.replies = new Replies(bus, this.inbox, this.report);
  }

  /**
   * Serves a database until {@link withdraw}.
   * @param isOwned whether this process may answer for it at this moment
   * @param opened resolves when the database is open; until then storage answers with the reason
   */
  async serve(database: string, isOwned: () => boolean = () => true, opened?: Promise<void>): Promise<void> {
    const prefix = databaseSubjects(database);
    const subscription = this.bus.connection.subscribe(`${prefix}*`, {
      callback: (error, message) => {
        if (!error) void this.take(served, message);
      },
    });
    const doorbells = new Doorbells(this.bus, this.storage);
    const semaphore = new Semaphore({
      running: SERVER_REQUESTS,
      waiting: SERVER_QUEUE,
      waitingBytes: SERVER_QUEUE_BYTES,
    });
    const streams = new Set<AbortController>();
    const served: Served = { database, prefix, isOwned, subscription, doorbells, semaphore, streams };
    this.served.set(database, served);
    if (opened) void opened.then(() => this.startDoorbells(served).catch(this.report), NOT_OPENED);
    else await this.startDoorbells(served);
    await this.bus.flush();
  }

  private async startDoorbells(served: Served): Promise<void> {
    const { database, doorbells } = served;
    const { collections } = await this.storage.describe(database);
    if (this.served.get(database) !== served) return;
    for (const { scope, collection, lastSequence } of collections)
      doorbells.start({ database, scope, collection }, lastSequence);
  }

  /**
   * Takes no more requests for a database and resolves when those under way are answered. Streams under way end with
   * `storage.closed`: a statement may run for minutes.
   */
  async withdraw(database: string): Promise<void> {
    const served = this.served.get(database);
    if (!served) return;
    this.served.delete(database);
    // What is on its way to this process is still answered; what is asked from now on finds nobody.
    await this.bus.drain(served.subscription);
    await served.semaphore.idle();
    for (const stream of served.streams) stream.abort(new EdgeError('storage.closed'));
    served.doorbells.close();
  }

  /** Withdraws every database, then lets go of the connection, which stays open. */
  async close(): Promise<void> {
    await Promise.all([...this.served.keys()].map((database) => this.withdraw(database)));
    await this.replies.idle();
    await this.bus.flush();
    this.inbox.close();
  }

  private async take(served: Served, raw: Msg): Promise<void> {
    const { reply } = raw;
    if (!reply || !served.isOwned()) return;
    const arrived = performance.now();
    try {
      const name = raw.subject.slice(served.prefix.length);
      const operation = storageOperation(name);
      if (!operation) throw new EdgeError('bus.invalid', `no such operation: ${name}`);
      const received = readRequest(raw.data, name, operation.request.version);
      await served.semaphore.run(
        async () => {
          // Nobody waits for the answer any more, or it is not ours to give.
          if (performance.now() - arrived > received.header.budget || !served.isOwned()) return;
          await this.answer(served, operation, received, reply);
        },
        { bytes: raw.data.byteLength },
      );
    } catch (error) {
      this.replies.refuse(reply, error);
    }
  }

  private async answer(
    { database, streams }: Served,
    operation: Named<Operation>,
    { message, header, payload }: ReceivedRequest,
    replyTo: string,
  ): Promise<void> {
    const stream = operation.kind === 'stream' ? new AbortController() : undefined;
    if (stream) streams.add(stream);
    let request: Request = {
      report: this.report,
      database,
      payload,
      message,
      ...(header.idempotencyKey !== undefined && { idempotencyKey: header.idempotencyKey }),
      ...(stream && { signal: stream.signal }),
    };
    const upload = header.streamed ? this.receive(replyTo) : undefined;
    try {
      if (upload && operation.kind === 'value' && operation.upload) request = { ...request, upload };
      else if (upload) {
        const whole = decodeMessage(await upload.whole());
        request = { ...request, message: whole, payload: whole.meta };
      }
      const result = await this.handle(operation, request);
      await this.replies.send(replyTo, operation.reply.version, result, (error) => {
        if (!stream) return;
        streams.delete(stream);
        if (error !== undefined) stream.abort(error);
      });
    } finally {
      upload?.cancel();
    }
  }

  /** Names the address for its chunks to a sender. */
  private receive(replyTo: string): ChunkReceiver {
    if (this.uploads >= SERVER_STREAMS) throw new EdgeError('server.overloaded', 'too many large values at a time');
    this.uploads++;
    const receiver = new ChunkReceiver(
      (bytes) => this.bus.publish(replyTo, bytes),
      () => {
        this.uploads--;
        address.close();
      },
    );
    const address = this.inbox.create({
      message: (message) => receiver.accept(message),
      unreadable: (error) => receiver.fail(error),
      disconnected: () => receiver.fail(new EdgeError('storage.unavailable', 'the connection was lost')),
    });
    this.bus.publish(replyTo, encodeMessage(MessageKind.proceed, 1, undefined), address.subject);
    return receiver;
  }
}
