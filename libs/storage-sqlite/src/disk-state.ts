import { accessSync, constants, statfsSync, statSync } from 'node:fs';
import type { EdgeError } from '@edgesync/errors';
import { bundlePaths, type BundlePaths } from './bundle.js';

/** Disk space of a database, and free space. */
export interface DatabaseUsage {
  /** The database file and its write-ahead log. */
  readonly databaseBytes: number;
  /** All stored blobs. */
  readonly blobBytes: number;
  /** Room that this process may use on the disk. */
  readonly freeBytes: number;
  /** Milliseconds since the epoch: the moment that the last finished backup shows. Absent: there is none. */
  readonly backedUpAt?: number;
}

/** Why no write can succeed. */
export type WriteObstacle = 'storage.full' | 'storage.read-only';

/** With less than this, a transaction finds no room. */
const LEAST_FREE_BYTES = 128 * 1_024;
/** A write that failed counts as long as nobody tried another one. Milliseconds. */
const FAILURE_COUNTS_MS = 30_000;
/** The disk is looked at this often at most. Milliseconds. */
const LOOK_EVERY_MS = 1_000;
/** Blobs are added up this often at most, as it takes a look at each. Milliseconds. */
const ADD_UP_EVERY_MS = 300_000;

/** The state of the disk of a database: from looking at it, and from the outcome of transactions. */
export class DiskState {
  private readonly paths: BundlePaths;
  private failure: { readonly code: WriteObstacle; readonly at: number } | undefined;
  private looked = { at: -Infinity, obstacle: undefined as WriteObstacle | undefined };
  private blobs = { at: -Infinity, bytes: 0 };

  /**
   * @param addUpBlobs bytes of all stored blobs
   * @param now milliseconds of a steady clock
   */
  constructor(
    directory: string,
    private readonly addUpBlobs: () => number,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.paths = bundlePaths(directory);
  }

  /** Undefined while nothing is known that prevents writes. */
  get writeObstacle(): WriteObstacle | undefined {
    const now = this.now();
    if (now - this.looked.at >= LOOK_EVERY_MS) this.looked = { at: now, obstacle: this.look() };
    if (this.looked.obstacle) return this.looked.obstacle;
    return this.failure && now - this.failure.at < FAILURE_COUNTS_MS ? this.failure.code : undefined;
  }

  committed(): void {
    this.failure = undefined;
  }

  failed({ code }: EdgeError): void {
    if (code === 'storage.full' || code === 'storage.read-only') this.failure = { code, at: this.now() };
  }

  usage(): DatabaseUsage {
    const now = this.now();
    if (now - this.blobs.at >= ADD_UP_EVERY_MS) this.blobs = { at: now, bytes: this.addUpBlobs() };
    const backup = statSync(this.paths.backup, { throwIfNoEntry: false });
    return {
      databaseBytes: sizeOf(this.paths.database) + sizeOf(`${this.paths.database}-wal`),
      blobBytes: this.blobs.bytes,
      freeBytes: freeBytes(this.paths.directory),
      ...(backup && { backedUpAt: backup.mtimeMs }),
    };
  }

  private look(): WriteObstacle | undefined {
    try {
      accessSync(this.paths.database, constants.W_OK);
      return freeBytes(this.paths.directory) < LEAST_FREE_BYTES ? 'storage.full' : undefined;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return code === 'EROFS' || code === 'EACCES' || code === 'EPERM' ? 'storage.read-only' : undefined;
    }
  }
}

function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
