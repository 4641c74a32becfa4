import { sleep } from '@edgesync/async';
import {
  checkPayloadVersion,
  ErrorReply,
  MessageKind,
  ReplicationTasksReply,
  ReplicationTasksRequest,
  StartReplicationReply,
  StartReplicationRequest,
  workerRequestSubject,
  type Message,
  type WorkerOperation,
} from '@edgesync/bus-contract';
import { EdgeError, isEdgeError, type ErrorCode } from '@edgesync/errors';
import {
  deleteReplication,
  shownReplications,
  type ReplicationControl,
  type ReplicationRecords,
  type ReplicationTask,
} from '@edgesync/ports';
import { nuid } from '@nats-io/transport-node';
import { ask, AttemptFailed } from './attempt.js';
import type { Bus } from './bus.js';
import { ReplyInbox } from './reply-inbox.js';
import { sealDefinition, type Seal } from './sealed-definition.js';
import { CALL_MS, PATIENCE_MS, START_MS, STATUS_MS, WORKER_LOOK_MS } from './tuning.js';
import type { WorkerRegistry } from './worker-registry.js';

export interface NatsReplicationControlOptions {
  readonly seal: Seal;
  /** Reports workers that do not answer, or not as they should. */
  readonly report?: (error: unknown) => void;
  /** How long to wait until a worker is there, in milliseconds. */
  readonly patience?: number;
}

type Definition = Parameters<ReplicationControl['start']>[0];

interface WorkerRequest {
  readonly operation: WorkerOperation;
  readonly payload: object;
  readonly bodies: readonly Uint8Array[];
  readonly versions: { readonly request: number; readonly reply: number };
}

/** Answers of a worker that mean: not me, or not now. Another one may do it. */
const PASSING: ReadonlySet<ErrorCode> = new Set(['server.draining', 'server.overloaded']);

/** Controls the replications of a deployment, whichever workers run them. */
export class NatsReplicationControl implements ReplicationControl {
  private readonly inbox: ReplyInbox;
  private readonly patience: number;
  private next = 0;

  constructor(
    private readonly bus: Bus,
    private readonly workers: WorkerRegistry,
    private readonly records: ReplicationRecords,
    private readonly options: NatsReplicationControlOptions,
  ) {
    this.inbox = new ReplyInbox(bus);
    this.patience = options.patience ?? PATIENCE_MS;
  }

  /** @throws also EdgeError `sync.no-worker`, `replication.limit`; `request.invalid` for a definition of more than 256 kB */
  async start(definition: Definition): Promise<number> {
    const sealed = sealDefinition(this.options.seal, definition);
    const request: WorkerRequest = {
      operation: 'startReplication',
      // The key makes it safe to ask a second worker although the first one may have done it.
      payload: new StartReplicationRequest(nuid.next()),
      bodies: [sealed],
      versions: { request: StartReplicationRequest.version, reply: StartReplicationReply.version },
    };
    const deadline = performance.now() + CALL_MS;
    const tried = new Set<string>();
    for (const start = performance.now(); performance.now() < deadline;) {
      const id = this.choose(tried);
      if (id === undefined) {
        if (performance.now() - start > this.patience) break;
        // A worker that was there before may be there again.
        tried.clear();
        await sleep(WORKER_LOOK_MS);
        continue;
      }
      tried.add(id);
      try {
        return StartReplicationReply.parse((await this.ask(id, request, START_MS)).meta).number;
      } catch (error) {
        if (!(error instanceof AttemptFailed || (isEdgeError(error) && PASSING.has(error.code)))) throw error;
        this.options.report?.(error);
      }
    }
    throw new EdgeError('sync.no-worker', 'no replication worker answers; try again shortly');
  }

  /** @throws EdgeError `sync.no-worker` */
  async list(): Promise<readonly ReplicationTask[]> {
    await this.waitForWorker();
    return this.shown();
  }

  /** The same as {@link list}, also when there is no worker. @throws EdgeError `sync.no-worker` if NATS is away */
  async shown(): Promise<readonly ReplicationTask[]> {
    const asked = this.workers.workers();
    const [table, ...answers] = await Promise.all([
      this.records.read(),
      ...asked.map(({ id }) => this.tasksOf(id)),
    ] as const);
    const isComplete = asked.length > 0 && answers.every((answer) => answer !== undefined);
    return shownReplications(table, answers.flat().filter(isPresent), isComplete, Date.now());
  }

  /** @throws EdgeError `sync.no-worker` */
  async status(id: number): Promise<ReplicationTask | undefined> {
    return (await this.list()).find(({ task_id }) => task_id === id);
  }

  /** @throws EdgeError `sync.no-worker` */
  async delete(id: number): Promise<boolean> {
    await this.waitForWorker();
    let isKnown = false;
    await this.records.change((table) => {
      const next = deleteReplication(table, id);
      isKnown = next !== undefined;
      return next ?? table;
    });
    return isKnown;
  }

  close(): void {
    this.inbox.close();
  }

  /** The workers take turns. */
  private choose(except: ReadonlySet<string>): string | undefined {
    const workers = this.workers.workers().filter(({ id }) => !except.has(id));
    return workers[this.next++ % Math.max(1, workers.length)]?.id;
  }

  private async waitForWorker(): Promise<void> {
    for (const start = performance.now(); this.workers.workers().length === 0;) {
      if (performance.now() - start > this.patience)
        throw new EdgeError('sync.no-worker', 'there is no replication worker; try again shortly');
      await sleep(WORKER_LOOK_MS);
    }
  }

  /** @returns undefined if the worker does not say */
  private async tasksOf(id: string): Promise<readonly ReplicationTask[] | undefined> {
    try {
      const reply = await this.ask(
        id,
        {
          operation: 'replicationTasks',
          payload: new ReplicationTasksRequest(),
          bodies: [],
          versions: { request: ReplicationTasksRequest.version, reply: ReplicationTasksReply.version },
        },
        STATUS_MS,
      );
      return ReplicationTasksReply.parse(reply.meta).tasks;
    } catch (error) {
      this.options.report?.(error);
      return undefined;
    }
  }

  private async ask(id: string, request: WorkerRequest, patience: number): Promise<Message> {
    const { operation, payload, bodies, versions } = request;
    const subject = workerRequestSubject('replication', id, operation);
    const question = { subject, version: versions.request, payload, bodies };
    const { message } = await ask(this.bus, this.inbox, question, patience, patience);
    if (message.kind === MessageKind.fault) throw ErrorReply.parse(message.meta).toError();
    checkPayloadVersion(`the reply to ${operation}`, message.version, versions.reply);
    return message;
  }
}

const isPresent = <T>(value: T | undefined): value is T => value !== undefined;
