import {
  checkPayloadVersion,
  decodeMessage,
  encodeMessage,
  MessageKind,
  REPLICATIONS_CHANGED_SUBJECT,
  ReplicationTable,
} from '@edgesync/bus-contract';
import { EdgeError, isEdgeError } from '@edgesync/errors';
import { jetstream, jetstreamManager, StorageType } from '@nats-io/jetstream';
import { Kvm, type KV } from '@nats-io/kv';
import type { Bus } from './bus.js';
import { isMissingBucket, isOutOfRoom, isWrongRevision } from './jetstream-faults.js';
import { RECORDS_ANSWER_MS, RECORDS_CHANGE_MS, RECORDS_LOOK_MS, STRAY_DEFINITION_MS } from './tuning.js';

export interface ReplicationRecordsOptions {
  /** Copies in a cluster of NATS servers: 1, 3 or 5. */
  readonly replicas?: number;
  /** Told of what went wrong while looking; the looking goes on. */
  readonly report?: (error: unknown) => void;
  /** Only reads and changes what workers have made; true in gateways. */
  readonly guest?: boolean;
}

const BUCKET = 'edge-v1-replications';
const TABLE = 'table';
const definitionKey = (key: string): string => `definition.${key}`;

/**
 * The table of the deployment's replications and their sealed definitions, in a NATS key-value bucket. The bucket is kept
 * in memory only; a worker that finds it empty, because NATS was restarted, puts back what it knows. So what was started
 * by a request lasts for as long as NATS or any worker does.
 */
export class ReplicationRecords {
  private bucket: Promise<KV> | undefined;
  private latest: ReplicationTable | undefined;
  /** Sealed definitions of the rows of {@link latest}. */
  private readonly definitions = new Map<string, Uint8Array>();

  constructor(
    private readonly bus: Bus,
    private readonly options: ReplicationRecordsOptions = {},
  ) {}

  /** The table as it is now. @throws EdgeError `sync.no-worker` if NATS does not answer */
  async read(): Promise<ReplicationTable> {
    const { table } = await this.attempt((entries) => this.look(entries));
    return table;
  }

  /**
   * Changes the table, whoever else does at the same time.
   * @param edit gives the new table, or the one it was given; may be called several times
   * @throws what `edit` throws, EdgeError `sync.no-worker` if NATS does not answer
   */
  async change(edit: (table: ReplicationTable) => ReplicationTable): Promise<ReplicationTable> {
    const start = performance.now();
    for (;;) {
      const next = await this.attempt((entries) => this.changeOnce(entries, edit));
      if (next) return next;
      if (performance.now() - start > RECORDS_CHANGE_MS) throw unreachable();
    }
  }

  /**
   * Keeps a sealed definition; to be called before there is a row for it.
   * @throws EdgeError `replication.limit`, `sync.no-worker`
   */
  async putDefinition(key: string, sealed: Uint8Array): Promise<void> {
    await this.attempt((entries) => entries.put(definitionKey(key), sealed));
    this.definitions.set(key, sealed);
  }

  /** @returns undefined if it is not there (any more) */
  async definition(key: string): Promise<Uint8Array | undefined> {
    const known = this.definitions.get(key);
    if (known) return known;
    const entry = await this.attempt((entries) => entries.get(definitionKey(key)));
    if (entry?.operation !== 'PUT') return undefined;
    this.definitions.set(key, entry.value);
    return entry.value;
  }

  async dropDefinition(key: string): Promise<void> {
    this.definitions.delete(key);
    await this.attempt(() => this.erase(definitionKey(key)));
  }

  /** Removes definitions that no row refers to: whoever put them died before it made the row. */
  async dropStrays(): Promise<void> {
    const { rows } = await this.read();
    const known = new Set(rows.map(({ key }) => definitionKey(key)));
    await this.attempt(async (entries) => {
      for await (const key of await entries.keys(definitionKey('*'))) {
        if (known.has(key)) continue;
        const entry = await entries.get(key);
        if (entry?.operation === 'PUT' && Date.now() - entry.created.getTime() > STRAY_DEFINITION_MS)
          await this.erase(key);
      }
    });
  }

  /**
   * Calls `listener` with the table now, whenever somebody rang, and at regular intervals, until the returned function is
   * called.
   */
  follow(listener: (table: ReplicationTable, rang: boolean) => void): () => void {
    let isOver = false;
    let isLooking = false;
    let rings = 0;
    let heard = 0;
    const look = async (): Promise<void> => {
      if (isLooking) return;
      isLooking = true;
      do {
        const rang = rings > heard;
        heard = rings;
        try {
          // As it is, unless NATS has lost it.
          const table = await this.change((known) => known);
          await this.mirror(table);
          if (!isOver) listener(table, rang);
        } catch (error) {
          if (!isOver) this.options.report?.(error);
        }
      } while (rings > heard && !isOver);
      isLooking = false;
    };
    const ring = (): void => {
      rings++;
      void look();
    };
    const subscription = this.bus.connection.subscribe(REPLICATIONS_CHANGED_SUBJECT, { callback: ring });
    const timer = setInterval(() => {
      if (this.bus.connected) void look();
    }, RECORDS_LOOK_MS);
    void look();
    return () => {
      isOver = true;
      clearInterval(timer);
      if (!this.bus.connection.isClosed()) subscription.unsubscribe();
    };
  }

  /** Makes those who follow look at once. */
  ring(): void {
    if (this.bus.connected) this.bus.publish(REPLICATIONS_CHANGED_SUBJECT, new Uint8Array(0));
  }

  /** Has a copy of every definition, in case that NATS loses its own. */
  private async mirror({ rows }: ReplicationTable): Promise<void> {
    const wanted = new Set(rows.filter(({ origin, ended }) => origin === 'requested' && !ended).map(({ key }) => key));
    for (const key of this.definitions.keys()) if (!wanted.has(key)) this.definitions.delete(key);
    for (const key of wanted) await this.definition(key);
  }

  /** Removes an entry without the mark that the bucket would keep for ever in its place. */
  private async erase(key: string): Promise<void> {
    const { streams } = await jetstreamManager(this.bus.connection, { timeout: RECORDS_ANSWER_MS, checkAPI: false });
    await streams.purge(`KV_${BUCKET}`, { filter: `$KV.${BUCKET}.${key}` });
  }

  private async look(entries: KV): Promise<{ table: ReplicationTable; revision: number | undefined }> {
    const entry = await entries.get(TABLE).catch((error: unknown) => {
      // Without a bucket there was no worker yet, and without a worker nothing to enter.
      if (this.options.guest && isMissingBucket(error)) return null;
      throw error;
    });
    if (entry?.operation === 'PUT') {
      const table = (this.latest = decode(entry.value));
      return { table, revision: entry.revision };
    }
    if (!this.latest || this.options.guest) return { table: ReplicationTable.empty, revision: undefined };
    for (const [key, sealed] of this.definitions) await entries.create(definitionKey(key), sealed).catch(ifNotThere);
    return { table: this.latest, revision: undefined };
  }

  private async changeOnce(
    entries: KV,
    edit: (table: ReplicationTable) => ReplicationTable,
  ): Promise<ReplicationTable | undefined> {
    const { table, revision } = await this.look(entries);
    const next = edit(table);
    // A table that was lost is to be written even as it is.
    if (next === table && (revision !== undefined || table.last === 0)) return table;
    const bytes = encode(next);
    try {
      await (revision === undefined ? entries.create(TABLE, bytes) : entries.update(TABLE, bytes, revision));
    } catch (error) {
      if (!isWrongRevision(error)) throw error;
      return undefined;
    }
    this.latest = next;
    this.ring();
    return next;
  }

  /** @throws what is no fault of NATS, else EdgeError `replication.limit` if it has no memory, `sync.no-worker` */
  private async attempt<T>(work: (entries: KV) => Promise<T>): Promise<T> {
    if (!this.bus.connected) throw unreachable();
    try {
      return await work(await this.open());
    } catch (error) {
      if (isEdgeError(error)) throw error;
      if (isOutOfRoom(error))
        throw new EdgeError('replication.limit', 'NATS has no memory for more replications', { cause: error });
      this.bucket = undefined;
      throw unreachable(error);
    }
  }

  private open(): Promise<KV> {
    return (this.bucket ??= this.openBucket().catch((error: unknown) => {
      this.bucket = undefined;
      throw error;
    }));
  }

  private openBucket(): Promise<KV> {
    const { replicas = 1, guest } = this.options;
    const kvm = new Kvm(jetstream(this.bus.connection, { timeout: RECORDS_ANSWER_MS }));
    // Reads go to the leader: a replica may not know yet what was answered to somebody a moment ago.
    const options = { storage: StorageType.Memory, history: 1, replicas, allow_direct: false };
    return guest ? kvm.open(BUCKET, { allow_direct: false }) : kvm.create(BUCKET, options);
  }
}

const encode = (table: ReplicationTable): Uint8Array =>
  encodeMessage(MessageKind.event, ReplicationTable.version, table);

function decode(bytes: Uint8Array): ReplicationTable {
  const message = decodeMessage(bytes);
  checkPayloadVersion('the table of replications', message.version, ReplicationTable.version);
  return ReplicationTable.parse(message.meta);
}

function ifNotThere(error: unknown): void {
  if (!isWrongRevision(error)) throw error;
}

const unreachable = (cause?: unknown): EdgeError =>
  new EdgeError('sync.no-worker', 'the table of replications cannot be reached; try again shortly', { cause });
