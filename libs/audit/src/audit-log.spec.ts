import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AuditConfig } from '@edgesync/config';
import { Loggers } from '@edgesync/logging';
import { AUDIT_EVENTS } from './audit-events.js';
import { AuditFile } from './audit-file.js';
import { AuditLog } from './audit-log.js';
import { openAuditLog } from './open-audit-log.js';

const actor = { user: 'alice', remote: '10.0.0.7:4711' };
const keyspace = { database: 'travel', scope: 'inventory', collection: 'hotels' };

function recorded(omitDescription: boolean, act: (audit: AuditLog) => void): Record<string, unknown>[] {
  const lines: string[] = [];
  const output = { line: (text: string) => void lines.push(text), written: () => undefined };
  const selected = new Set(Object.values(AUDIT_EVENTS).map(({ id }) => id));
  act(new AuditLog({ output, selected, omitDescription, now: () => 1_785_587_696_123 }));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('an audit event', () => {
  it('has number, time to the millisecond, name, description, and what belongs to it', () => {
    expect(recorded(false, (audit) => audit.documentUpdated(actor, keyspace, 'hotel "1"\n', '2-ab'))).toEqual([
      {
        id: 57360,
        timestamp: '2026-08-01T12:34:56.123Z',
        name: 'update document',
        description: AUDIT_EVENTS.documentUpdated.description,
        user: 'alice',
        remote: '10.0.0.7:4711',
        db: 'travel',
        ks: 'travel.inventory.hotels',
        doc_id: 'hotel "1"\n',
        rev: '2-ab',
      },
    ]);
  });

  it('has no description if that is not wanted, and no user if there is none', () => {
    expect(recorded(true, (audit) => audit.databasesRead({ remote: '::1' }))).toEqual([
      { id: 57350, timestamp: '2026-08-01T12:34:56.123Z', name: 'read all databases', remote: '::1' },
    ]);
    expect(recorded(true, (audit) => audit.serverStopped())[0]).toEqual({
      id: 57345,
      timestamp: '2026-08-01T12:34:56.123Z',
      name: 'server stopped',
    });
  });

  it('names the default collection as URLs do', () => {
    const byDefault = { database: 'travel', scope: '_default', collection: '_default' };
    expect(recorded(true, (audit) => audit.documentRead(actor, byDefault, 'a'))[0]).toMatchObject({ ks: 'travel' });
  });

  it('exists for every number that something here can cause', () => {
    const session = { id: 1, protocol: 'BLIP_3+CBMobile_4', seconds: 1 };
    const feed = { id: 2, mode: 'continuous', seconds: 1 };
    const ids = recorded(true, (audit) => {
      audit.serverStarted({ version: '1', interface: '0.0.0.0:59840', databases: ['a'] });
      audit.serverStopped();
      audit.httpRequest(actor, { method: 'GET', url: '/', status: 200, elapsedMilliseconds: 1.234 });
      audit.authenticated(actor);
      audit.authenticationFailed(actor, 401);
      audit.databaseRead(actor, keyspace);
      audit.databasesRead(actor);
      audit.changesFeedStarted(actor, keyspace, feed);
      audit.changesFeedEnded(actor, keyspace, feed);
      audit.replicationClientConnected(actor, 'travel', session);
      audit.replicationClientDisconnected(actor, 'travel', session);
      audit.documentCreated(actor, keyspace, 'a', '1-a');
      audit.documentRead(actor, keyspace, 'a');
      audit.documentUpdated(actor, keyspace, 'a', '2-a');
      audit.documentDeleted(actor, keyspace, 'a', '3-a');
      audit.documentMetadataRead(actor, keyspace, 'a');
      audit.query(actor, keyspace, 'all', 200);
    }).map(({ id }) => id);
    expect(ids).toEqual([
      57344, 57345, 57346, 57347, 57348, 57349, 57350, 57351, 57352, 57353, 57354, 57358, 57359, 57360, 57361, 57362,
      57363,
    ]);
  });

  it('of a request hides credentials in its URL', () => {
    const url = '/db/_x?token=geheim&to=wss://a:geheim@host';
    const [event] = recorded(true, (audit) =>
      audit.httpRequest(actor, { method: 'GET', url, status: 404, elapsedMilliseconds: 0.126 }),
    );
    expect(event).toMatchObject({ uri: '/db/_x?token=…&to=wss://…@host', status: 404, elapsed_ms: 0.13 });
  });
});

describe('the audit file', () => {
  let dir: string;
  let path: string;
  let log: string[];
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'audit-'));
    path = join(dir, 'audit.log');
    log = [];
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const open = (config: Partial<AuditConfig> = {}) => {
    const output = { line: (text: string) => void log.push(text), flush: async () => {}, flushSync: () => {} };
    const loggers = new Loggers({ config: { console: true, domains: new Map() }, output, now: Date.now });
    return openAuditLog({ file: path, omitDescription: true, ...config }, loggers.domain('Default'));
  };
  const events = (file = path) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  it('is appended to, over restarts too, and holds nothing that is not selected', async () => {
    writeFileSync(path, '{"id":1}\n');
    for (const user of ['a', 'b']) {
      const { audit, close } = await open({ disable: [57350] });
      audit.authenticated({ ...actor, user });
      audit.databasesRead(actor);
      audit.documentRead(actor, keyspace, 'x');
      await close();
    }
    expect(events()).toMatchObject([{ id: 1 }, { id: 57347, user: 'a' }, { id: 57347, user: 'b' }]);
  });

  it('is not made without a configured file', async () => {
    const { audit, close } = await open({ file: undefined, enable: '*' });
    audit.serverStopped();
    expect(audit.records('serverStopped')).toBe(false);
    await close();
    expect(() => readFileSync(path)).toThrow('ENOENT');
  });

  it('has every event of a turn when written() resolves, in one write', async () => {
    const { audit, close } = await open();
    const sizes: number[] = [];
    for (let turn = 1; turn <= 3; turn++) {
      for (const user of ['a', 'b', 'c']) audit.authenticated({ ...actor, user });
      const written = audit.written();
      audit.databasesRead(actor);
      await written;
      sizes.push(events().length);
      await new Promise(setImmediate);
      expect(audit.written()).toBeUndefined();
    }
    expect(sizes).toEqual([4, 8, 12]);
    await close();
  });

  it('is not waited for while it cannot be written', async () => {
    const { audit, close } = await open();
    rmSync(dir, { recursive: true });
    audit.authenticated(actor);
    await audit.written();
    expect(log.join()).toContain('cannot be written for now');
    audit.authenticated(actor);
    expect(audit.written()).toBeUndefined();
    mkdirSync(dir);
    await close();
    expect(events()).toHaveLength(2);
  });

  it('begins again when it was moved away', async () => {
    let now = 0;
    const file = new AuditFile(
      path,
      () => {},
      () => now,
    );
    await file.write(['1']);
    renameSync(path, `${path}.1`);
    now += 1000;
    await file.write(['2']);
    await file.end();
    expect(events(`${path}.1`)).toEqual([1]);
    expect(events()).toEqual([2]);
  });

  it('cannot be opened where its directory is missing', async () => {
    await expect(open({ file: join(dir, 'none', 'audit.log') })).rejects.toThrow('ENOENT');
  });

  it('reports numbers that are no event', async () => {
    await (await open({ enable: [57346, 7] })).close();
    expect(log).toEqual([expect.stringContaining('logging.audit: there is no event 7')]);
  });

  it('may be a device, which has nothing to sync', async () => {
    const faults: unknown[] = [];
    const file = new AuditFile('/dev/null', (error) => void faults.push(error));
    await file.write(['1']);
    await file.end();
    expect(faults).toEqual([]);
  });

  it('receives later what cannot be written now, and a line that says how much is missing', async () => {
    const { audit, lostEvents, close } = await open();
    rmSync(dir, { recursive: true });
    const count = 10_000;
    for (let index = 0; index < count; index++) audit.authenticated({ ...actor, user: `user ${index}` });
    await expect.poll(() => log.join()).toContain(`the audit log ${path} cannot be written for now: ENOENT`);
    mkdirSync(dir);
    await close();
    const all = events();
    expect(all[0]).toMatchObject({ user: 'user 0' });
    expect(all.at(-2)).toMatchObject({ user: `user ${all.length - 2}` });
    expect(all.at(-1)).toMatchObject({ id: 0, name: 'audit events lost', count: count - (all.length - 1) });
    expect(lostEvents()).toBe(count - (all.length - 1));
    expect(log.at(-1)).toContain(`the audit log ${path} is written again`);
  });

  it('writes a batch once that could not be written at first', async () => {
    const file = new AuditFile(
      path,
      () => {},
      () => 0,
    );
    await file.begin();
    await file.end();
    mkdirSync(`${path}.d`);
    rmSync(path);
    renameSync(`${path}.d`, path);
    await expect(file.write(['1'])).rejects.toThrow('EISDIR');
    rmSync(path, { recursive: true });
    await file.write(['1']);
    expect(events()).toEqual([1]);
    await file.end();
  });
});
