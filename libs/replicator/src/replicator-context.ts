import type { Scheduler } from '@edgesync/async';
import type { Subscriptions } from '@edgesync/change-feed';
import type { Storage } from '@edgesync/ports';
import { KnownTime, type Moment } from '@edgesync/revision';
import { DeltaSource } from './jobs/delta-source.js';
import { LegacyMemory } from './jobs/peer-memory.js';
import { TUNING, type Tuning } from './tuning.js';

/** A SHA-1 being computed. */
export interface Sha1 {
  update(bytes: Uint8Array): void;
  /** The padded base64 of the hash. */
  digestBase64(): string;
}

/** Receives log lines for the operator. Never bodies. */
export interface SyncLog {
  info(message: string): void;
  warn(message: string): void;
  error(message: string, error: unknown): void;
}

export const SILENT: SyncLog = { info: () => {}, warn: () => {}, error: () => {} };

export interface ReplicatorContextOptions {
  readonly storage: Storage;
  readonly feeds: Subscriptions;
  readonly scheduler: Scheduler;
  readonly createSha1: () => Sha1;
  readonly randomBytes: (count: number) => Uint8Array;
  /** Milliseconds since the epoch. May be wrong, and may be set. */
  readonly now: () => number;
  /** Milliseconds since any beginning, by a clock that only runs. */
  readonly uptime: () => number;
  /** Calls back in the next turn of the event loop, after what has arrived by then was handled. */
  readonly nextTurn: (callback: () => void) => void;
  readonly log?: SyncLog;
  readonly tuning?: Partial<Tuning>;
}

/** Shared by all sessions of a process. */
export class ReplicatorContext {
  readonly storage: Storage;
  readonly feeds: Subscriptions;
  readonly scheduler: Scheduler;
  readonly createSha1: () => Sha1;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly now: () => number;
  readonly uptime: () => number;
  readonly nextTurn: (callback: () => void) => void;
  readonly log: SyncLog;
  readonly tuning: Tuning;
  readonly legacy: LegacyMemory;
  readonly deltas: DeltaSource;
  /** The time as peers claim it. */
  readonly time = new KnownTime();

  constructor(options: ReplicatorContextOptions) {
    this.storage = options.storage;
    this.feeds = options.feeds;
    this.scheduler = options.scheduler;
    this.createSha1 = options.createSha1;
    this.randomBytes = options.randomBytes;
    this.now = options.now;
    this.uptime = options.uptime;
    this.nextTurn = options.nextTurn;
    this.log = options.log ?? SILENT;
    this.tuning = { ...TUNING, ...options.tuning };
    this.legacy = new LegacyMemory(this.tuning.legacyDocuments);
    this.deltas = new DeltaSource(options.storage, this.tuning.sharedDeltas);
  }

  get moment(): Moment {
    return { wallMs: this.now(), uptimeMs: this.uptime() };
  }
}
