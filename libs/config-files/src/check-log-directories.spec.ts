import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { formatIssue } from '@edgesync/config';
import { checkLogDirectories } from './check-log-directories.js';

const dir = mkdtempSync(join(tmpdir(), 'dirs-'));
const issues = (logDir: string, auditFile: string) =>
  checkLogDirectories(
    {
      console: true,
      domains: new Map(),
      file: { dir: logDir, maxSize: 1024, rotateCount: 0 },
      audit: { file: auditFile, omitDescription: false },
    },
    'edge.json5',
  ).map(formatIssue);

it('accepts directories that exist, also for an audit file that does not yet', () => {
  expect(issues(dir, join(dir, 'audit.log'))).toEqual([]);
});

it('tells of directories that do not exist and of what is none, all at once', () => {
  writeFileSync(join(dir, 'file'), '');
  expect(issues(join(dir, 'file'), join(dir, 'none', 'audit.log'))).toEqual([
    expect.stringMatching(/^edge\.json5: logging\.file\.dir: is no directory/),
    expect.stringContaining(`logging.audit.file: names a directory that does not exist: ${dir}/none.`),
  ]);
});
