import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The first schema.
 *
 * `documents` is the documents and the change log in one: a document has one row, found by ID and by its latest
 * sequence. Small columns stand before the body, so that reading them does not walk its overflow pages.
 * `revisions` keeps bodies that are not current: recently superseded ones, which deltas are made from, and losing
 * leaves. `blob_references` belongs to stored bodies of both tables.
 */
export class Initial1790000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(): Promise<void> {
    throw new Error('The first migration cannot be undone');
  }
}

const STATEMENTS = [
  `CREATE TABLE meta (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) WITHOUT ROWID`,
  `CREATE TABLE clock (only INTEGER PRIMARY KEY CHECK (only = 1), time TEXT NOT NULL)`,
  `CREATE TABLE collections (
     id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
     scope TEXT NOT NULL, name TEXT NOT NULL,
     last_sequence INTEGER NOT NULL DEFAULT 0,
     live INTEGER NOT NULL DEFAULT 0,
     UNIQUE (scope, name))`,
  `CREATE TABLE documents (
     row INTEGER PRIMARY KEY NOT NULL,
     collection INTEGER NOT NULL REFERENCES collections (id),
     id TEXT NOT NULL,
     sequence INTEGER NOT NULL,
     flags INTEGER NOT NULL,
     expires_at INTEGER,
     rev TEXT NOT NULL,
     vector TEXT NOT NULL,
     tree TEXT NOT NULL,
     body TEXT NOT NULL)`,
  `CREATE UNIQUE INDEX documents_by_id ON documents (collection, id)`,
  `CREATE UNIQUE INDEX documents_by_sequence ON documents (collection, sequence)`,
  `CREATE INDEX documents_by_expiry ON documents (expires_at) WHERE expires_at IS NOT NULL`,
  `CREATE TABLE revisions (
     row INTEGER PRIMARY KEY NOT NULL,
     document INTEGER NOT NULL REFERENCES documents (row),
     rev TEXT NOT NULL,
     version TEXT NOT NULL,
     deleted INTEGER NOT NULL,
     leaf INTEGER NOT NULL,
     stored_at INTEGER NOT NULL,
     body TEXT NOT NULL)`,
  `CREATE UNIQUE INDEX revisions_by_rev ON revisions (document, rev)`,
  `CREATE INDEX revisions_by_age ON revisions (stored_at) WHERE leaf = 0`,
  `CREATE TABLE blobs (
     digest TEXT PRIMARY KEY NOT NULL,
     length INTEGER NOT NULL,
     orphaned_at INTEGER) WITHOUT ROWID`,
  `CREATE INDEX blobs_by_orphaned_at ON blobs (orphaned_at) WHERE orphaned_at IS NOT NULL`,
  `CREATE TABLE blob_references (
     document INTEGER NOT NULL REFERENCES documents (row),
     rev TEXT NOT NULL,
     digest TEXT NOT NULL REFERENCES blobs (digest),
     PRIMARY KEY (document, rev, digest)) WITHOUT ROWID`,
  `CREATE INDEX blob_references_by_digest ON blob_references (digest)`,
  `CREATE TABLE checkpoints (
     collection INTEGER NOT NULL REFERENCES collections (id),
     client TEXT NOT NULL,
     saves INTEGER NOT NULL,
     body TEXT NOT NULL,
     PRIMARY KEY (collection, client)) WITHOUT ROWID`,
];
