import { nameToken } from '@edgesync/bus-contract';
import { EdgeError } from '@edgesync/errors';
import { jetstream } from '@nats-io/jetstream';
import { Kvm, type KV } from '@nats-io/kv';
import { nuid } from '@nats-io/transport-node';
import type { Bus } from './bus.js';
import { isWrongRevision } from './jetstream-faults.js';
import { CLUSTER_LEASE_MS, LEASE_MS, LEASE_RENEWAL_MS, LEASE_RENEWALS } from './tuning.js';

export interface LeaseBucketOptions {
  /**
   * Life of a lease that is not renewed, in milliseconds. The one given when the bucket was made counts. Default 5 s, or
   * 20 s with replicas.
   */
  readonly life?: number;
  /** Copies of the bucket in a cluster of NATS servers: 1, 3 or 5. */
  readonly replicas?: number;
  /** The kind of lease: {@link OWNERS} of databases if absent. */
  readonly bucket?: string;
}

/** Storage processes that own databases. */
export const OWNERS = 'edge-v1-owners';
/** Workers that run replications with other servers. */
export const RUNNERS = 'edge-v1-runners';

/** The holder of a lease, as stored. */
export interface LeaseRecord {
  /** Unique per lease taken. */
  readonly holder: string;
  /** For people: which process on which box. */
  readonly name: string;
}

/** NATS is given at least this long to answer, in milliseconds. */
const ANSWER_MS = 500;

/**
 * The NATS key-value bucket that holds one entry per name that is leased. NATS removes entries that are not renewed. It is
 * opened when it is first needed, and again after a fault: NATS may have lost it.
 */
export class LeaseBucket {
  private entries: Promise<KV> | undefined;
  private actualLife: number;

  constructor(
    private readonly bus: Bus,
    private readonly options: LeaseBucketOptions = {},
  ) {
    this.actualLife = lifeOf(options);
  }

  /** Life of an entry in milliseconds: what the bucket was made with. */
  get life(): number {
    return this.actualLife;
  }

  /** Milliseconds between renewals. */
  get renewalInterval(): number {
    return renewalInterval(this.actualLife);
  }

  /** Creates the entry of a name. @returns its revision; undefined: somebody has it */
  async create(leased: string, name: string): Promise<{ record: LeaseRecord; revision: number } | undefined> {
    const record = { holder: nuid.next(), name };
    try {
      if (!this.bus.connected) throw new EdgeError('storage.unavailable', 'NATS is away');
      const entries = await this.open();
      return { record, revision: await entries.create(nameToken(leased), JSON.stringify(record)) };
    } catch (error) {
      if (isWrongRevision(error)) return undefined;
      this.entries = undefined;
      throw error;
    }
  }

  /** Writes the entry again if it still has that revision. @returns the new one; undefined: it has not */
  async renew(leased: string, record: LeaseRecord, revision: number, timeout: number): Promise<number | undefined> {
    try {
      return await (await this.open()).update(nameToken(leased), JSON.stringify(record), revision, timeout);
    } catch (error) {
      if (isWrongRevision(error)) return undefined;
      throw error;
    }
  }

  /** The holder of a name, with the revision of the entry. */
  async look(leased: string): Promise<{ record: LeaseRecord; revision: number } | undefined> {
    const entry = await (await this.open()).get(nameToken(leased));
    if (entry?.operation !== 'PUT') return undefined;
    return { record: entry.json<LeaseRecord>(), revision: entry.revision };
  }

  /** Removes the entry if it still has that revision. */
  async remove(leased: string, revision: number): Promise<void> {
    try {
      await (await this.open()).delete(nameToken(leased), { previousSeq: revision });
    } catch (error) {
      if (!isWrongRevision(error)) throw error;
    }
  }

  private open(): Promise<KV> {
    return (this.entries ??= this.openBucket().catch((error: unknown) => {
      this.entries = undefined;
      throw error;
    }));
  }

  /** An existing bucket keeps the options it was made with. @throws if NATS has no JetStream or does not answer */
  private async openBucket(): Promise<KV> {
    const { replicas = 1, bucket = OWNERS } = this.options;
    const life = lifeOf(this.options);
    const client = jetstream(this.bus.connection, { timeout: Math.max(ANSWER_MS, life / LEASE_RENEWALS) });
    const entries = await new Kvm(client).create(bucket, { ttl: life, history: 1, replicas });
    this.actualLife = (await entries.status()).ttl;
    return entries;
  }
}

const lifeOf = ({ life, replicas = 1 }: LeaseBucketOptions): number =>
  life ?? (replicas > 1 ? CLUSTER_LEASE_MS : LEASE_MS);

const renewalInterval = (life: number): number => Math.min(life / LEASE_RENEWALS, LEASE_RENEWAL_MS);
