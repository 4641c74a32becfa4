import { describe, expect, it } from 'vitest';
import { EdgeError } from '@edgesync/errors';
import type { ExportReport, ImportReport } from '@edgesync/storage-sqlite';
import { exportCommand, importCommand, type ExportAction, type ImportAction } from './couchbase-lite-commands.js';

const IMPORTED: ImportReport = {
  documents: 3,
  tombstones: 1,
  expired: 0,
  conflicts: 2,
  lostConflicts: 0,
  lostConflictsOf: [],
  blobs: 1,
  blobBytes: 2_500_000,
  lostBlobs: [],
  lostBlobCount: 0,
  checkpoints: 1,
  indexes: [],
  skipped: [],
  skippedCount: 0,
};
const EXPORTED: ExportReport = {
  documents: 3,
  blobs: 1,
  unsavable: [],
  expired: 0,
  tombstones: 0,
  conflicts: 0,
  conflicting: [],
};
const problem = (id: string, reason: string) => ({ collection: '_default._default', id, reason });

function terminal(ending = new AbortController().signal) {
  const out: string[] = [];
  const shown: string[] = [];
  const io = {
    out: (text: string) => void out.push(text),
    err: () => undefined,
    askPassword: () => Promise.resolve(''),
    progress: { show: (text: string) => void shown.push(text), clear: () => void shown.push('') },
    ending: () => ending,
  };
  return { io, out, shown };
}
const importing = async (
  run: ImportAction,
  flags: { dryRun?: boolean; skipDamaged?: boolean } = {},
  ending?: AbortSignal,
) => {
  const { io, ...seen } = terminal(ending);
  const command = {
    kind: 'import',
    source: 'a.cblite2',
    target: 'b.cblite2',
    dryRun: false,
    skipDamaged: false,
    ...flags,
  };
  return { code: await importCommand(command as Parameters<typeof importCommand>[0], run, io), ...seen };
};
const exporting = async (run: ExportAction) => {
  const { io, ...seen } = terminal();
  const command = { kind: 'export-cblite2', path: 'a.cblite2', target: 'b.cblite2', format: 3 } as const;
  return { code: await exportCommand(command, run, io), ...seen };
};

describe('--import', () => {
  it('reports the counts, and progress meanwhile', async () => {
    const { code, out, shown } = await importing((_source, _target, { onProgress }) => {
      onProgress!({ rows: 5, totalRows: 10, bytes: 1_000_000 });
      return Promise.resolve(IMPORTED);
    });
    expect(code).toBe(0);
    expect(out).toEqual([
      'b.cblite2: 3 documents, 1 tombstone, 2 losing revisions, 1 blob (2.5 MB), 1 checkpoint of apps',
    ]);
    expect(shown).toEqual([expect.stringMatching(/^5 of 10 documents, 1\.0 MB, about \d+ s left$/), '']);
  });

  it('names expired documents and indexes, which are no losses', async () => {
    const report = { ...IMPORTED, expired: 2, indexes: ['byName', 'byAge'] };
    const { code, out } = await importing(() => Promise.resolve(report), { dryRun: true });
    expect(code).toBe(0);
    expect(out[0]).toMatch(/^b\.cblite2 would have 3 documents/);
    expect(out.slice(1)).toEqual(['2 expired documents left out', '2 indexes not imported: byName, byAge']);
  });

  it('names every loss and ends with 2', async () => {
    const { code, out } = await importing(() =>
      Promise.resolve({
        ...IMPORTED,
        skippedCount: 1,
        skipped: [problem('d', 'its body is damaged')],
        lostBlobCount: 2,
        lostBlobs: [problem('e', 'x: the bundle lacks its file'), problem('f', 'y: it is damaged')],
        lostConflicts: 1,
        lostConflictsOf: [problem('g', '1 conflicting revision')],
      }),
    );
    expect(code).toBe(2);
    expect(out.slice(1)).toEqual([
      '1 document skipped:',
      '  _default._default/d: its body is damaged',
      '2 blobs lost:',
      '  _default._default/e: x: the bundle lacks its file',
      '  _default._default/f: y: it is damaged',
      '1 conflicting revision left out:',
      '  _default._default/g: 1 conflicting revision',
    ]);
  });

  it('names the flag that leaves damaged documents out, unless it was given', async () => {
    const damaged: ImportAction = () => Promise.reject(new EdgeError('storage.corrupt', 'it is damaged'));
    await expect(importing(damaged)).rejects.toThrow('it is damaged. Add --skip-damaged');
    await expect(importing(damaged, { skipDamaged: true })).rejects.toThrow(/^it is damaged$/);
  });

  it('says after an interruption that the command can be repeated', async () => {
    const ending = AbortSignal.abort(new Error('interrupted by SIGINT'));
    const run: ImportAction = (_source, _target, { signal }) => Promise.reject(signal!.reason as Error);
    await expect(importing(run, {}, ending)).rejects.toThrow(
      'interrupted by SIGINT; the same command goes on with the import',
    );
  });
});

describe('--export-cblite2', () => {
  it('reports the counts, and what apps do not need', async () => {
    const { code, out } = await exporting(() => Promise.resolve({ ...EXPORTED, tombstones: 2, expired: 1 }));
    expect(code).toBe(0);
    expect(out).toEqual([
      'b.cblite2: 3 documents and 1 blob for Couchbase Lite 3.1 and later',
      '2 tombstones left out',
      '1 expired document left out',
    ]);
  });

  it('names conflicts and documents that apps cannot save, and ends with 2', async () => {
    const { code, out } = await exporting(() =>
      Promise.resolve({ ...EXPORTED, conflicts: 2, conflicting: ['a.b/c'], unsavable: ['a.b/d'] }),
    );
    expect(code).toBe(2);
    expect(out.slice(1)).toEqual([
      '2 losing revisions of conflicts left out:',
      '  a.b/c',
      '1 document that apps can read and not save, because of a property without a name:',
      '  a.b/d',
    ]);
  });
});
