import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import {
  checkHeader,
  checkSchema,
  findCollections,
  FleeceReader,
  SharedKeys,
  sourceText,
  type BundleContext,
  type DocumentRow,
} from '../index.js';

export const SAMPLES = join(import.meta.dirname, '../../fixtures/samples');

export const sampleNames = readdirSync(SAMPLES)
  .filter((name) => name.endsWith('.cblite2'))
  .map((name) => name.slice(0, -'.cblite2'.length));

export interface SampleRow extends DocumentRow {
  readonly collection: string;
}

/** Reads every document row of a sample, from a copy, with what decoding them needs. */
export function readSample(name: string): { readonly rows: readonly SampleRow[]; readonly context: BundleContext } {
  const copy = mkdtempSync(join(tmpdir(), 'cblite-'));
  cpSync(join(SAMPLES, `${name}.cblite2`), copy, { recursive: true });
  checkHeader(readFileSync(join(copy, 'db.sqlite3')).subarray(0, 100));
  const database = new Database(join(copy, 'db.sqlite3'));
  try {
    const tables = database.prepare(`SELECT name FROM sqlite_master WHERE type = 'table'`).pluck().all() as string[];
    checkSchema(database.pragma('user_version', { simple: true }) as number, tables);
    const info = new Map(database.prepare('SELECT key, body FROM kv_info').raw().all() as [string, Uint8Array][]);
    const keys = info.get('SharedKeys');
    const reader = keys && new FleeceReader(keys);
    const sharedKeys = new SharedKeys(reader ? reader.items(reader.root()).map((at) => reader.string(at)) : []);
    const rows = findCollections(tables).flatMap(({ scope, collection, live, deleted }) =>
      [live, deleted].flatMap((table) => {
        if (table === undefined) return [];
        const select = database.prepare(`SELECT key, sequence, flags, version, body, extra FROM "${table}"`);
        const name = scope === '_default' ? collection : `${scope}.${collection}`;
        return (select.all() as DocumentRow[]).map((row) => ({ ...row, collection: name }));
      }),
    );
    return { rows, context: { sharedKeys, source: sourceText(info.get('publicUUID')!) } };
  } finally {
    database.close();
    rmSync(copy, { recursive: true });
  }
}
