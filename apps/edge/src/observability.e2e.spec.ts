import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EdgeSandbox } from './testing/edge-process.js';

interface Logging {
  readonly file?: object;
  readonly audit?: object;
  readonly domains?: object;
  readonly console?: boolean;
}

/** A sandbox that logs into `logs` and audits into `audit.log` beside it. */
async function sandboxWith(logging: Logging = {}, top: object = {}): Promise<EdgeSandbox & { readonly logs: string }> {
  const sandbox = await EdgeSandbox.create(
    {},
    { ...top, logging: { file: { dir: 'logs' }, audit: { file: 'audit.log' }, ...logging } },
  );
  const logs = join(sandbox.directory, 'logs');
  mkdirSync(logs);
  return Object.assign(sandbox, { logs });
}

const read = (directory: string, pattern: RegExp): string[] =>
  readdirSync(directory)
    .filter((name) => pattern.test(name))
    .sort()
    .map((name) => readFileSync(join(directory, name), 'utf8'));
const audited = ({ directory }: EdgeSandbox): { readonly id: number; readonly [field: string]: unknown }[] =>
  readFileSync(join(directory, 'audit.log'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: number });

describe('a server that logs into files', () => {
  it('writes requests there as on the console, and ends every file in order', async () => {
    using sandbox = await sandboxWith();
    await using server = await sandbox.start();
    await fetch(`${sandbox.url}/db/none`);
    await server.end('SIGTERM');
    const [info] = read(sandbox.logs, /^cbl_info_\d+\.cbllog$/);
    expect(info).toMatch(
      /^---- serialNo=1,.*\n\S+Z REST Info 127\.0\.0\.1:\d+ GET \/db\/none -> 404 Not Found \(.* ms\)\n---- END ----\n$/,
    );
    const line = /.*REST Info.*/.exec(info!)![0];
    expect(server.stderr).toContain(line);
    expect(read(sandbox.logs, /\.cbllog$/)).toHaveLength(4);
  });

  it('keeps the files of earlier runs as configured', async () => {
    using sandbox = await sandboxWith({ file: { dir: 'logs', rotateCount: 1 } });
    for (let run = 0; run < 3; run++) {
      await using server = await sandbox.start();
      await fetch(`${sandbox.url}/run${run}`);
      await server.end('SIGTERM');
    }
    const kept = read(sandbox.logs, /^cbl_info_/);
    expect(kept).toHaveLength(2);
    expect(kept[0]).toContain('GET /run1 ');
    expect(kept[1]).toContain('GET /run2 ');
  });

  it('does not stop when the directory is gone', async () => {
    using sandbox = await sandboxWith({ file: { dir: 'logs', maxSize: 1024 } });
    await using server = await sandbox.start();
    rmSync(sandbox.logs, { recursive: true });
    for (let index = 0; index < 40; index++) expect((await fetch(`${sandbox.url}/db`)).status).toBe(200);
    await expect.poll(() => server.stderr).toContain('the info log in');
    expect(await server.end('SIGTERM')).toBe(0);
  });

  it('says nothing on the console if that is off', async () => {
    using sandbox = await sandboxWith({ console: false });
    await using server = await sandbox.start();
    await fetch(`${sandbox.url}/db`);
    await server.end('SIGTERM');
    expect(server.stderr).toBe('');
    expect(read(sandbox.logs, /^cbl_info_/)[0]).toContain('GET /db ');
  });
});

describe('a server with an audit log', () => {
  it('says first that it started and last that it stopped, run after run', async () => {
    using sandbox = await sandboxWith();
    for (let run = 0; run < 2; run++) {
      await using server = await sandbox.start();
      await fetch(`${sandbox.url}/_all_dbs`);
      await server.end('SIGTERM');
    }
    expect(audited(sandbox).map(({ id }) => id)).toEqual([57344, 57350, 57345, 57344, 57350, 57345]);
    expect(audited(sandbox)[0]).toMatchObject({
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as unknown,
      name: 'server started',
      description: expect.any(String) as unknown,
      interface: `127.0.0.1:${sandbox.port}`,
      databases: ['db'],
    });
  });

  it('has written the events of a request when its reply comes, so that a kill leaves what happened before', async () => {
    using sandbox = await sandboxWith({ audit: { file: 'audit.log', enable: '*', omit_description: true } });
    await using server = await sandbox.start();
    const headers = { 'Content-Type': 'application/json' };
    const write = async (path: string, method: string): Promise<string> => {
      const reply = await fetch(`${sandbox.url}${path}`, { method, headers, ...(method === 'PUT' && { body: '{}' }) });
      return ((await reply.json()) as { rev: string }).rev;
    };
    for (let round = 0; round < 50; round++) {
      const path = `/db/doc-${round}`;
      const created = await write(path, 'PUT');
      expect(audited(sandbox).at(-2)).toMatchObject({ id: 57358, doc_id: `doc-${round}`, rev: created });
      const deleted = await write(`${path}?rev=${created}`, 'DELETE');
      expect(audited(sandbox).slice(-2)).toMatchObject([
        { id: 57361, doc_id: `doc-${round}`, rev: deleted },
        { id: 57346, method: 'DELETE', uri: `${path}?rev=${created}`, status: 200 },
      ]);
      await (await fetch(`${sandbox.url}${path}`)).text();
      expect(audited(sandbox).at(-1)).toMatchObject({ id: 57346, method: 'GET', uri: path, status: 404 });
    }
    await server.end('SIGKILL');
    expect(audited(sandbox)).toHaveLength(1 + 50 * 5);
  });

  it('serves on when the disk is full', async () => {
    using sandbox = await sandboxWith({ audit: { file: '/dev/full', enable: '*' } });
    await using server = await sandbox.start();
    for (let index = 0; index < 20; index++) expect((await fetch(`${sandbox.url}/db`)).status).toBe(200);
    await expect.poll(() => server.stderr).toContain('the audit log /dev/full cannot be written for now');
    expect(await server.end('SIGTERM')).toBe(0);
  });
});

describe('a start that cannot succeed', () => {
  it.each([
    [{ file: { dir: 'none' } }, 'logging.file.dir: names a directory that does not exist'],
    [{ audit: { file: 'none/audit.log' } }, 'logging.audit.file: names a directory that does not exist'],
    [{ audit: { file: 'logs' } }, 'the audit log'],
    [{ file: { dir: 'logs', format: 'binary' } }, 'logging.file.format: is "binary", which is not written'],
  ])('%j', async (logging, message) => {
    using sandbox = await sandboxWith(logging);
    await using server = sandbox.spawn(sandbox.configFile);
    expect(await server.exitCode()).toBe(1);
    expect(server.stderr).toContain(message);
  });
});
