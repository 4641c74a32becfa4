import { expect } from 'vitest';
import type { Keyspace } from '@edgesync/document';
import type { EditRequest, RevisionRequest, Storage, WriteRequest, WriteResult } from '../index.js';
import { DATABASE, SENSORS } from './storage-under-test.js';

/** A change made here; by default the first revision of a document. */
export function edit(id: string, parts: Partial<Omit<EditRequest, 'id' | 'type'>> = {}): EditRequest {
  return { type: 'edit', keyspace: SENSORS, id, deleted: false, body: parts.deleted ? '{}' : '{"n":1}', ...parts };
}

/** A revision made elsewhere. */
export function revision(
  id: string,
  rev: string,
  parts: Partial<Omit<RevisionRequest, 'id' | 'rev' | 'type'>> = {},
): RevisionRequest {
  return {
    type: 'revision',
    keyspace: SENSORS,
    id,
    rev,
    history: '',
    deleted: false,
    body: parts.deleted ? '{}' : `{"from":${JSON.stringify(rev)}}`,
    onConflict: 'refuse',
    ...parts,
  };
}

/** A rev-tree ID that looks like a real one: generation and 40 hex digits. */
export const rev = (generation: number, digit: string): string => `${generation}-${digit.repeat(40).slice(0, 40)}`;

/** A version of another database. */
export const version = (time: number, source: 'app' | 'cloud' = 'app'): string =>
  `${(0x18a0_0000_0000_0000n + BigInt(time) * 0x1_0000n).toString(16)}@${SOURCES[source]}`;

const SOURCES = { app: 'BBBBBBBBBBBBBBBBBBBBBA', cloud: 'CCCCCCCCCCCCCCCCCCCCCA' };

export async function writeOne(storage: Storage, request: WriteRequest): Promise<WriteResult> {
  const [result] = await storage.write(DATABASE, [request]);
  return result!;
}

/** A write that became the document's current revision. */
export type Stored = Extract<WriteResult, { status: 'stored' }> & { readonly vector: string };

/** Writes what must be accepted. Callers that use `vector` know that it became current. */
export async function store(storage: Storage, request: WriteRequest): Promise<Stored> {
  const result = await writeOne(storage, request);
  expect(result).toMatchObject({ status: 'stored', id: request.id });
  return result as Stored;
}

/** Writes what must be accepted and leave another revision current. */
export async function storeBeside(storage: Storage, request: WriteRequest): Promise<WriteResult> {
  const result = await writeOne(storage, request);
  expect(result).toMatchObject({ status: 'stored', id: request.id });
  expect(result).not.toHaveProperty('vector');
  return result;
}

/** Stores first revisions under the given IDs. */
export async function storeAll(storage: Storage, ids: readonly string[], keyspace: Keyspace = SENSORS): Promise<void> {
  const results = await storage.write(
    DATABASE,
    ids.map((id) => edit(id, { keyspace })),
  );
  expect(results.map(({ status }) => status)).toEqual(ids.map(() => 'stored'));
}

/** The current revision of a document, tombstones included. */
export async function current(storage: Storage, id: string, keyspace: Keyspace = SENSORS) {
  return (await storage.read(keyspace, [id]))[0];
}

/** A row as it is read when bodies are not asked for. */
export function withoutBody<Row extends object>(row: Row): Omit<Row, 'body'> {
  const { body: _, ...rest } = row as Row & { body?: unknown };
  return rest;
}

export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}
