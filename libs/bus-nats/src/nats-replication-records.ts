import {
  checkPayloadVersion,
  decodeMessage,
  encodeMessage,
  MessageKind,
  parseReplicationTable,
  REPLICATION_TABLE_VERSION,
  REPLICATIONS_CHANGED_SUBJECT,
} from '@edgesync/bus-contract';
import type { ReplicationConfig } from '@edgesync/config';
import { EdgeError, isEdgeError } from '@edgesync/errors';
import { EMPTY_REPLICATION_TABLE, type ReplicationRecords, type ReplicationTable } from '@edgesync/ports';
import { jetstream, jetstreamManager, StorageType } from '@nats-io/jetstream';
import { Kvm, type KV } from '@nats-io/kv';
import type { Bus } from './bus.js';
import { isMissingBucket, isOutOfRoom, isWrongRevision } from './jetstream-faults.js';
import { openDefinition, sealDefinition, type Seal } from './sealed-definition.js';
import { RECORDS_ANSWER_MS, RECORDS_CHANGE_MS, RECORDS_LOOK_MS, STRAY_DEFINITION_MS } from './tuning.js';

export interface NatsReplicationRecordsOptions {
  readonly seal: Seal;
  /** Copies in a cluster of NATS servers: 1, 3 or 5. */
  readonly replicas?: number;
  /** Reports what went wrong while looking; the looking goes on. */
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
export class NatsReplicationRecords implements ReplicationRecords {
  private bucket: Promise<KV> | undefined;
  private latest: ReplicationTable | undefined;
  /** Sealed definitions of the rows of {@link latest}. */
  private readonly definitions = new Map<string, Uint8Array>();

  constructor(
    private readonly bus: Bus,
    private readonly options: NatsReplicationRecordsOptions,
  ) {}

  async read(): Promise<ReplicationTable> {
    const { table } = await this.attempt((entries) => this.look(entries));
    return table;
  }

  async change(edit: (table: ReplicationTable) => ReplicationTable): Promise<ReplicationTable> {
    const start = performance.now();
    for (;;) {
      const next = await this.attempt((entries) => this.changeOnce(entries, edit));
      if (next) return next;
      if (performance.now() - start > RECORDS_CHANGE_MS) throw unreachable();
    }
  }

  nextNumber({ last }: ReplicationTable): number {
    return last + 1;
  }

  async putDefinition(key: string, definition: ReplicationConfig): Promise<number> {
    const sealed = sealDefinition(this.options.seal, definition);
    await this.attempt((entries) => entries.put(definitionKey(key), sealed));
    this.definitions.set(key, sealed);
    return sealed.byteLength;
  }

  async definition(key: string): Promise<ReplicationConfig | undefined> {
    const sealed = await this.sealedDefinition(key);
    return sealed && openDefinition(this.options.seal, sealed);
  }

  fingerprint(text: string): string {
    return this.options.seal.fingerprint(text);
  }

  async dropDefinition(key: string): Promise<void> {
    this.definitions.delete(key);
    await this.attempt(() => this.erase(definitionKey(key)));
  }

  async dropStrays(): Promise<void> {
    const { rows } = await this.read();
    const known = new Set(rows.flatMap(({ key, ended }) => (ended ? [] : [definitionKey(key)])));
    await this.attempt(async (entries) => {
      for await (const key of await entries.keys(definitionKey('*'))) {
        if (known.has(key)) continue;
        const entry = await entries.get(key);
        if (entry?.operation === 'PUT' && Date.now() - entry.created.getTime() > STRAY_DEFINITION_MS)
          await this.erase(key);
      }
    });
  }

  follow(listener: (table: ReplicationTable, rang: boolean) => void): () => void {
    let isOver = false;
    let isLooking = false;
    let rings = 0;
    let seen = 0;
    const look = async (): Promise<void> => {
      if (isLooking) return;
      isLooking = true;
      do {
        const rang = rings > seen;
        seen = rings;
        try {
          // As it is, unless NATS has lost it.
          const table = await this.change((known) => known);
          await this.mirror(table);
          if (!isOver) listener(table, rang);
        } catch (error) {
          if (!isOver) this.options.report?.(error);
        }
      } while (rings > seen && !isOver);
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

  ring(): void {
    if (this.bus.connected) this.bus.publish(REPLICATIONS_CHANGED_SUBJECT, new Uint8Array(0));
  }

  /** Has a copy of every definition, in case that NATS loses its own. */
  private async mirror({ rows }: ReplicationTable): Promise<void> {
    const wanted = new Set(rows.filter(({ origin, ended }) => origin === 'requested' && !ended).map(({ key }) => key));
    for (const key of this.definitions.keys()) if (!wanted.has(key)) this.definitions.delete(key);
    for (const key of wanted) await this.sealedDefinition(key);
  }

  private async sealedDefinition(key: string): Promise<Uint8Array | undefined> {
    const known = this.definitions.get(key);
    if (known) return known;
    const entry = await this.attempt((entries) => entries.get(definitionKey(key)));
    if (entry?.operation !== 'PUT') return undefined;
    this.definitions.set(key, entry.value);
    return entry.value;
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
    if (!this.latest || this.options.guest) return { table: EMPTY_REPLICATION_TABLE, revision: undefined };
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
  encodeMessage(MessageKind.event, REPLICATION_TABLE_VERSION, table);

function decode(bytes: Uint8Array): ReplicationTable {
  const message = decodeMessage(bytes);
  checkPayloadVersion('the table of replications', message.version, REPLICATION_TABLE_VERSION);
  return parseReplicationTable(message.meta);
}

function ifNotThere(error: unknown): void {
  if (!isWrongRevision(error)) throw error;
}

const unreachable = (cause?: unknown): EdgeError =>
  new EdgeError('sync.no-worker', 'the table of replications cannot be reached; try again shortly', { cause });
