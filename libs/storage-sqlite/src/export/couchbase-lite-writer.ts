import { createHash, randomBytes } from 'node:crypto';
import { copyFileSync, constants } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import {
  BLOB_DIRECTORY,
  blobFileName,
  checkpointId,
  DATABASE_FILE,
  SharedKeyTable,
  storeName,
  tablesOf,
  writeFleece,
  writeRevTree,
  writeTreeRevId,
  writeVector,
} from '@edgesync/cblite';
import { findBlobs, JsonScalar, readJsonTree, type CollectionName } from '@edgesync/document';
import { makeDirectory, makeFile } from '../files.js';

/** Which apps a bundle is for: revision trees open in 3.1 and later, vectors in 4 only. */
export type BundleFormat = 3 | 4;

/** A document as it is written into a bundle. */
export interface OutgoingDocument {
  readonly id: string;
  readonly deleted: boolean;
  readonly body: string;
  /** Rev-tree ID and ancestors, newest first. */
  readonly revisions: readonly string[];
  readonly vector: string;
  /** Unix seconds. */
  readonly expiresAt?: number;
}

/** The server that apps will sync with, if the bundle is to know it already. */
export interface KnownServer {
  /** The endpoint's URL as the apps give it. */
  readonly url: string;
}

const SCHEMA_VERSION = 503;
const FLAG_DELETED = 1;
const FLAG_BLOBS = 4;
/** The current revision is that of the first remote. */
const FLAG_SYNCED = 8;
const EMPTY = Buffer.from([0x70, 0x00]);

/**
 * Writes a Couchbase Lite bundle that an app can ship as its prebuilt database. One transaction; the bundle is whole
 * when {@link finish} returns.
 */
export class CouchbaseLiteWriter {
  private readonly handle: Database.Database;
  private readonly sharedKeys = new SharedKeyTable();
  private readonly collections = new Map<string, WrittenCollection>();
  private readonly privateUuid = randomBytes(16);
  private readonly insertInfo: Database.Statement<[string, Uint8Array]>;

  constructor(
    private readonly directory: string,
    private readonly format: BundleFormat,
    private readonly server?: KnownServer,
  ) {
    makeDirectory(join(directory, BLOB_DIRECTORY));
    makeFile(join(directory, DATABASE_FILE));
    this.handle = new Database(join(directory, DATABASE_FILE));
    this.handle.pragma('page_size = 4096');
    this.handle.pragma('auto_vacuum = 2');
    this.handle.pragma('journal_mode = WAL');
    this.handle.exec('BEGIN');
    this.handle.exec(
      'CREATE TABLE kvmeta (name TEXT PRIMARY KEY, lastSeq INTEGER DEFAULT 0, purgeCnt INTEGER DEFAULT 0) WITHOUT ROWID',
    );
    this.createStore('kv_info');
    this.insertInfo = this.handle.prepare('INSERT INTO kv_info (key, body) VALUES (?, ?)');
    this.collection({ scope: '_default', collection: '_default' });
  }

  add(name: CollectionName, document: OutgoingDocument): void {
    const collection = this.collection(name);
    const hasBlobs = findBlobs(document.body).length > 0;
    const flags = (document.deleted ? FLAG_DELETED : 0) | (hasBlobs ? FLAG_BLOBS : 0) | (this.server ? FLAG_SYNCED : 0);
    const version = this.format === 4 ? writeVector(document.vector) : writeTreeRevId(document.revisions[0]!);
    const extra = this.format === 4 ? null : writeRevTree(document.revisions, { deleted: document.deleted, hasBlobs });
    const body = document.deleted && document.body === '{}' ? null : this.encode(document.body);
    const expiration = document.expiresAt === undefined ? null : document.expiresAt * 1000;
    const insert = document.deleted ? collection.insertDeleted : collection.insertLive;
    insert.run(document.id, ++collection.lastSequence, flags, version, body, expiration, extra);
  }

  /** @param file the blob's content, plain */
  addBlob(digest: string, file: string): void {
    copyFileSync(file, join(this.directory, BLOB_DIRECTORY, blobFileName(digest)), constants.COPYFILE_FICLONE);
  }

  /**
   * The checkpoints by which an app's first sync lists nothing: IDs and bodies, per collection, which the server has to
   * store too.
   */
  checkpoints(
    sequences: (name: CollectionName) => number,
  ): { readonly name: CollectionName; readonly id: string; readonly body: string }[] {
    if (!this.server) return [];
    const url = `${this.server.url.replace(/\/+$/, '')}/_blipsync`;
    const hash = (algorithm: string, bytes: Uint8Array): string => createHash(algorithm).update(bytes).digest('base64');
    return [...this.collections.values()].map(({ name, lastSequence }) => ({
      name,
      id: checkpointId({ ...name, privateUuid: this.privateUuid, url, pull: true, push: true }, hash),
      body: JSON.stringify({ local: lastSequence, remote: sequences(name) }),
    }));
  }

  /** Writes the checkpoints an app finds in its own database. */
  saveCheckpoints(checkpoints: readonly { readonly id: string; readonly body: string }[]): void {
    if (checkpoints.length === 0) return;
    this.createStore('kv_checkpoints');
    const insert = this.handle.prepare('INSERT INTO kv_checkpoints (key, body) VALUES (?, ?)');
    for (const { id, body } of checkpoints) insert.run(id, Buffer.from(body));
  }

  finish(): void {
    const insertMeta = this.handle.prepare('INSERT INTO kvmeta (name, lastSeq) VALUES (?, ?)');
    for (const { name, lastSequence } of this.collections.values())
      if (lastSequence > 0) insertMeta.run(storeName(name), lastSequence);
    this.insertInfo.run('publicUUID', randomBytes(16));
    this.insertInfo.run('privateUUID', this.privateUuid);
    this.insertInfo.run('versioning', bigEndian(this.format === 4 ? 2 : 1));
    this.insertInfo.run('maxRowidWithDeletedInDefault', bigEndian(0));
    if (this.sharedKeys.keys.length > 0) this.insertInfo.run('SharedKeys', writeFleece(this.sharedKeys.keys));
    if (this.server)
      this.insertInfo.run(
        'remotes',
        writeFleece(new Map([[`${this.server.url.replace(/\/+$/, '')}/_blipsync`, new JsonScalar('1')]])),
      );
    this.handle.exec('COMMIT');
    this.handle.pragma(`user_version = ${SCHEMA_VERSION}`);
    this.handle.pragma('wal_checkpoint(TRUNCATE)');
    this.handle.close();
  }

  /** Ends without a bundle; the caller removes the directory. */
  abandon(): void {
    this.handle.close();
  }

  private encode(body: string): Uint8Array {
    return body === '{}' ? EMPTY : writeFleece(readJsonTree(body), this.sharedKeys);
  }

  /** The tables of a collection, made when its first document, or its name, comes. */
  collection(name: CollectionName): WrittenCollection {
    const key = storeName(name);
    const known = this.collections.get(key);
    if (known) return known;
    const { live, deleted } = tablesOf(name);
    this.createStore(live);
    this.createStore(deleted);
    const insertInto = (table: string): Database.Statement =>
      this.handle.prepare(
        `INSERT INTO "${table}" (key, sequence, flags, version, body, expiration, extra) VALUES (?, ?, ?, ?, ?, ?, ?)`,
      );
    const collection = { name, insertLive: insertInto(live), insertDeleted: insertInto(deleted), lastSequence: 0 };
    this.collections.set(key, collection);
    return collection;
  }

  private createStore(table: string): void {
    this.handle.exec(
      `CREATE TABLE "${table}" (key TEXT PRIMARY KEY, sequence INTEGER, flags INTEGER DEFAULT 0, version BLOB,
         body BLOB, expiration INTEGER, extra BLOB);
       CREATE INDEX "${table}_expiration" ON "${table}" (expiration) WHERE expiration not null`,
    );
  }
}

interface WrittenCollection {
  readonly name: CollectionName;
  readonly insertLive: Database.Statement;
  readonly insertDeleted: Database.Statement;
  lastSequence: number;
}

function bigEndian(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}
