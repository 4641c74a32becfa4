import type { Scheduler } from '@edgesync/blip';
import type { ChangeFeeds } from '@edgesync/change-feed';
import type { Storage } from '@edgesync/ports';
import { DeltaSource } from './delta-source.js';
import { LegacyMemory } from './legacy-memory.js';
import { TUNING, type Tuning } from './tuning.js';

/** A SHA-1 being computed. */
export interface Sha1 {
  update(bytes: Uint8Array): void;
  /** The padded base64 of the hash. */
  digestBase64(): string;
}

/** Told what an operator may want to know. Never gets bodies. */
export interface SyncLog {
  info(message: string): void;
  warn(message: string): void;
  error(message: string, error: unknown): void;
}

export const SILENT: SyncLog = { info: () => {}, warn: () => {}, error: () => {} };

export interface EnvironmentOptions {
  readonly storage: Storage;
  readonly feeds: ChangeFeeds;
  readonly scheduler: Scheduler;
  readonly createSha1: () => Sha1;
  readonly randomBytes: (count: number) => Uint8Array;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Calls back in the next turn of the event loop, after what has arrived by then was handled. */
  readonly nextTurn: (callback: () => void) => void;
  readonly log?: SyncLog;
  readonly tuning?: Partial<Tuning>;
}

/** What all sessions of a process share. */
export class Environment {
  readonly storage: Storage;
  readonly feeds: ChangeFeeds;
  readonly scheduler: Scheduler;
  readonly createSha1: () => Sha1;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly now: () => number;
  readonly nextTurn: (callback: () => void) => void;
  readonly log: SyncLog;
  readonly tuning: Tuning;
  readonly legacy: LegacyMemory;
  readonly deltas: DeltaSource;

  constructor(options: EnvironmentOptions) {
    this.storage = options.storage;
    this.feeds = options.feeds;
    this.scheduler = options.scheduler;
    this.createSha1 = options.createSha1;
    this.randomBytes = options.randomBytes;
    this.now = options.now;
    this.nextTurn = options.nextTurn;
    this.log = options.log ?? SILENT;
    this.tuning = { ...TUNING, ...options.tuning };
    this.legacy = new LegacyMemory(this.tuning.legacyDocuments);
    this.deltas = new DeltaSource(options.storage, this.tuning.sharedDeltas);
  }
}
