import { cpSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { EdgeSandbox } from './testing/edge-process.js';

const SAMPLE = join(import.meta.dirname, '../../../libs/cblite/fixtures/samples/sample-v4.cblite2');

it('a Couchbase Lite database is imported, served, exported, and imported again', async () => {
  using sandbox = await EdgeSandbox.create();
  const at = (name: string): string => join(sandbox.directory, name);
  const run = async (...words: string[]) => {
    const command = sandbox.spawn(...words);
    return { code: await command.exitCode(), out: command.stdout, err: command.stderr };
  };
  cpSync(SAMPLE, at('app.cblite2'), { recursive: true });

  const imported = await run('--import', at('app.cblite2'), sandbox.bundle);
  expect(imported).toMatchObject({ code: 0, err: '' });
  const serve = async () => {
    await using server = await sandbox.start();
    const info = JSON.parse((await run('--info', sandbox.bundle, '--json')).out) as Record<string, unknown>;
    expect(info).toMatchObject({ kind: 'edgesync', blobs: 2, holder: { pid: server.child.pid } });
    expect(await run('--check', sandbox.bundle)).toMatchObject({ code: 1 });
    const response = await fetch(`${sandbox.url}/db/airline_1`);
    const { _rev, ...body } = (await response.json()) as Record<string, unknown>;
    await server.end('SIGTERM');
    return { body, collections: info['collections'] };
  };
  const { body } = await serve();
  expect(body).toMatchObject({ _id: 'airline_1', name: 'Airline One', edited: 2 });

  const exported = await run('--export-cblite2', sandbox.bundle, at('prebuilt.cblite2'));
  expect(exported).toMatchObject({ code: expect.any(Number) as number, err: '' });
  expect(exported.code).not.toBe(1);
  const again = await run('--import', at('prebuilt.cblite2'), at('again.cblite2'));
  expect(again).toMatchObject({ code: 0, err: '' });
  const documents = (text: string): string | undefined => /(\d+) documents/.exec(text)?.[1];
  expect(documents(again.out)).toBe(documents(imported.out));
  expect(await run('--compact', at('again.cblite2'))).toMatchObject({ code: 0, err: '' });
  expect(await run('--check', at('again.cblite2'))).toMatchObject({ code: 0, err: '' });

  const blobs = join(at('again.cblite2'), 'blobs');
  const [name] = readdirSync(blobs, { recursive: true, encoding: 'utf8' }).filter((found) => found.includes('/'));
  writeFileSync(join(blobs, name!), 'damage');
  expect(await run('--check', at('again.cblite2'))).toMatchObject({
    code: 2,
    out: expect.stringMatching(/blob sha1-\S+ is damaged or lost/) as string,
  });
});
