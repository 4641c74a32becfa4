import {
  ReplicationTasksReply,
  ReplicationTasksRequest,
  readRequest,
  StartReplicationReply,
  StartReplicationRequest,
  WORKER_OPERATIONS,
  workerRequestSubjects,
  type Content,
  type Message,
  type WorkerOperation,
} from '@edgesync/bus-contract';
import type { ReplicationConfig } from '@edgesync/config';
import { EdgeError } from '@edgesync/errors';
import type { ReplicationTask } from '@edgesync/ports';
import type { Msg, Subscription } from '@nats-io/transport-node';
import type { Bus } from './bus.js';
import { Semaphore } from '@edgesync/async';
import { ReplyInbox } from './reply-inbox.js';
import { Replies } from './replies.js';
import { openDefinition, type Seal } from './sealed-definition.js';
import { SERVER_QUEUE, SERVER_QUEUE_BYTES, SERVER_REQUESTS, WORKER_STARTS } from './tuning.js';

/** Services of a worker for gateways. */
export interface ReplicationHandlers {
  /**
   * Checks a definition and enters the replication in the table.
   * @param key the same for a repeated request
   * @returns its number
   */
  start(definition: ReplicationConfig, key: string): Promise<number>;
  /** The replications that run here, as they are now. */
  tasks(): Promise<readonly ReplicationTask[]>;
}

interface Operation {
  readonly request: number;
  readonly reply: number;
  readonly handle: (handlers: ReplicationHandlers, payload: unknown, message: Message, seal: Seal) => Promise<Content>;
}

const OPERATIONS: Readonly<Record<WorkerOperation, Operation>> = {
  startReplication: {
    request: StartReplicationRequest.version,
    reply: StartReplicationReply.version,
    handle: async (handlers, payload, message, seal) => {
      const { key } = StartReplicationRequest.parse(payload);
      const definition = openDefinition(seal, message.rest());
      return { meta: new StartReplicationReply(await handlers.start(definition, key)), bodies: [] };
    },
  },
  replicationTasks: {
    request: ReplicationTasksRequest.version,
    reply: ReplicationTasksReply.version,
    handle: async (handlers) => ({ meta: new ReplicationTasksReply(await handlers.tasks()), bodies: [] }),
  },
};

/** Answers what gateways ask of one replication worker. */
export class ReplicationServer {
  private readonly prefix: string;
  private readonly subscription: Subscription;
  private readonly inbox: ReplyInbox;
  private readonly replies: Replies;
  private readonly semaphores: Readonly<Record<WorkerOperation, Semaphore>> = {
    startReplication: new Semaphore({
      running: WORKER_STARTS,
      waiting: SERVER_QUEUE,
      waitingBytes: SERVER_QUEUE_BYTES,
    }),
    replicationTasks: new Semaphore({ running: SERVER_REQUESTS, waiting: SERVER_QUEUE }),
  };

  /**
   * @param id as the worker announces it
   * @param report receives errors that no caller is at fault for
   */
  constructor(
    private readonly bus: Bus,
    kind: string,
    id: string,
    private readonly handlers: ReplicationHandlers,
    private readonly seal: Seal,
    report: (error: unknown) => void,
  ) {
    this.prefix = workerRequestSubjects(kind, id);
    this.inbox = new ReplyInbox(bus);
    this.replies = new Replies(bus, this.inbox, report);
    this.subscription = bus.connection.subscribe(`${this.prefix}*`, {
      callback: (error, message) => {
        if (!error) void this.take(message);
      },
    });
  }

  /** Takes no more requests, and resolves when those under way are answered. */
  async close(): Promise<void> {
    await this.bus.drain(this.subscription);
    await Promise.all(Object.values(this.semaphores).map((semaphore) => semaphore.idle()));
    await this.replies.idle();
    await this.bus.flush();
    this.inbox.close();
  }

  private async take(raw: Msg): Promise<void> {
    const { reply: replyTo } = raw;
    if (!replyTo) return;
    const arrived = performance.now();
    try {
      const name = raw.subject.slice(this.prefix.length) as WorkerOperation;
      if (!WORKER_OPERATIONS.includes(name)) throw new EdgeError('bus.invalid', `no such operation: ${name}`);
      const operation = OPERATIONS[name];
      const { message, header, payload } = readRequest(raw.data, name, operation.request);
      if (header.streamed) throw new EdgeError('bus.invalid', 'the request is too large');
      await this.semaphores[name].run(
        async () => {
          // Nobody waits for the answer any more.
          if (performance.now() - arrived > header.budget) return;
          const content = await operation.handle(this.handlers, payload, message, this.seal);
          await this.replies.send(replyTo, operation.reply, content);
        },
        { bytes: raw.data.byteLength },
      );
    } catch (error) {
      this.replies.refuse(replyTo, error);
    }
  }
}
