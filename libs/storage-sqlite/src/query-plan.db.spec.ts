import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openParts, type DatabaseParts } from './open-database.js';
import {
  changeSql,
  changesSql,
  KEPT_REVISION,
  listSql,
  PLACE_BY_ID,
  readSql,
  type ListShape,
} from './read-statements.js';
import { temporaryDirectory } from './testing/test-storage.js';

const BY_ID = 'SEARCH documents USING INDEX documents_by_id';
const BY_SEQUENCE = 'SEARCH documents USING INDEX documents_by_sequence';

describe('every statement that runs per document or per page uses an index', () => {
  const directory = temporaryDirectory();
  const prepared = new Set<string>();
  let parts: DatabaseParts;
  beforeAll(async () => {
    const prepare = vi.spyOn(Database.prototype, 'prepare');
    parts = await openParts({ name: 'plant', path: join(directory.path, 'plant.cblite2'), create: true });
    const collection = parts.collections.get({ database: 'plant', scope: '_default', collection: '_default' });
    parts.reader.nextExpiry();
    parts.reader.countExpired(collection);
    for (const [sql] of prepare.mock.calls) prepared.add(sql);
    prepare.mockRestore();
  });
  afterAll(async () => {
    parts.upkeep.stop();
    await parts.connection.dataSource.destroy();
    parts.lock.release();
    directory.remove();
  });

  function plan(sql: string): string[] {
    // Values that are not bound count as unknown, like those that are.
    const rows = parts.connection.handle
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all(
        ...(sql.includes('@') ? [{ collection: 1, now: 1, skip: 0, lower: '', upper: '', after: '' }] : []),
        ...[...sql.matchAll(/\?/g)].map(() => null),
      ) as { detail: string }[];
    return rows.map(({ detail }) => detail);
  }

  const shapes: ListShape[] = [];
  for (let bits = 0; bits < 32; bits++)
    shapes.push({
      body: (bits & 1) !== 0,
      descending: (bits & 2) !== 0,
      lower: (bits & 4) !== 0,
      upper: (bits & 8) !== 0,
      after: (bits & 16) !== 0,
    });

  it.each(shapes)('list with %o walks the index of IDs from bound to bound and sorts nothing', (shape) => {
    const { descending, lower, upper, after } = shape;
    const above = lower || (after && !descending);
    const below = upper || (after && descending);
    const range = `${above ? ' AND id>?' : ''}${below ? ' AND id<?' : ''}`;
    expect(plan(listSql(shape))).toEqual([`${BY_ID} (collection=?${range})`]);
  });

  it.each([true, false])('changes with bodies %s walks the index of sequences and sorts nothing', (body) => {
    expect(plan(changesSql({ body, descending: false }))).toEqual([`${BY_SEQUENCE} (collection=? AND sequence>?)`]);
    expect(plan(changesSql({ body, descending: true }))).toEqual([`${BY_SEQUENCE} (collection=? AND sequence<?)`]);
  });

  it.each([readSql(true), readSql(false), changeSql(true), changeSql(false), PLACE_BY_ID])(
    'a document is found by its ID: %s',
    (sql) => {
      expect(plan(sql)).toEqual([`${BY_ID} (collection=? AND id=?)`]);
    },
  );

  it('kept revisions are found by their document', () => {
    expect(plan(KEPT_REVISION)).toEqual(['SEARCH revisions USING INDEX revisions_by_rev (document=?)']);
  });

  it('nothing else walks a table that grows either', () => {
    const growing = /^SCAN (?!clock\b)/;
    const statements = [...prepared].filter(
      (sql) =>
        /\b(documents|revisions|blobs|blob_references|checkpoints|done_writes)\b/.test(sql) &&
        !/^\s*CREATE\b/i.test(sql),
    );
    expect(statements.length).toBeGreaterThan(25);
    const walks = statements.filter((sql) => plan(sql).some((step) => growing.test(step)));
    // For the metrics, once in five minutes at most.
    expect(walks).toEqual(['SELECT total(length) AS bytes FROM blobs']);
  });

  it.each([
    ['expired documents', /SELECT row, id, flags, collection FROM documents/, 'documents_by_expiry (expires_at<?)'],
    ['the next deadline', /SELECT min\(expires_at\)/, 'documents_by_expiry'],
    ['the count of expired documents', /SELECT count\(\*\) AS expired/, 'documents_by_expiry (expires_at<?)'],
    ['old superseded bodies', /SELECT document, rev FROM revisions WHERE leaf = 0/, 'revisions_by_age (stored_at<?)'],
    ['orphaned blobs', /SELECT digest FROM blobs WHERE orphaned_at/, 'blobs_by_orphaned_at (orphaned_at<?)'],
    [
      'whether a blob is referred to',
      /UPDATE blobs SET orphaned_at = \? WHERE/,
      'blob_references_by_digest (digest=?)',
    ],
  ])('upkeep finds %s by an index of their own', (_, statement, index) => {
    const sql = [...prepared].find((text) => statement.test(text));
    expect(plan(sql!)).toContainEqual(expect.stringContaining(index));
  });
});
