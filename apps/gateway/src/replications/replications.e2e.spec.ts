import { describe, expect, it } from 'vitest';
import { EdgeError } from '@edgesync/errors';
import { hashPassword } from '@edgesync/platform';
import type { ReplicationConfig } from '@edgesync/config';
import type { ReplicationControl, ReplicationTask } from '@edgesync/ports';
import { CheckedClient } from '../testing/checked-client.js';
import { startGateway } from '../testing/start-gateway.js';

const TASK: ReplicationTask = {
  task_id: 4,
  session_id: 4,
  age_secs: 61,
  type: 'replication',
  source: 'wss://host:4984/db',
  target: 'db',
  continuous: true,
  bidirectional: true,
  updated_on: 1_780_000_000,
  status: 'Offline',
  docs_transferred: 12,
  docs_pending: 3,
  bytes_received: 1,
  bytes_sent: 2,
  next_retry: 1_780_000_100,
  error: { error: 'unknown host', 'x-litecore-domain': 5, 'x-litecore-code': 2 },
};

/** Remembers what it was asked. */
class Control implements ReplicationControl {
  readonly started: ReplicationConfig[] = [];
  readonly stopped: number[] = [];

  start(definition: ReplicationConfig): Promise<number> {
    if (definition.continuous) throw new EdgeError('replication.running');
    return Promise.resolve(this.started.push(definition) + 3);
  }

  list(): Promise<readonly ReplicationTask[]> {
    return Promise.resolve([TASK]);
  }

  status(id: number): Promise<ReplicationTask | undefined> {
    return Promise.resolve(id === 4 ? TASK : undefined);
  }

  delete(id: number): Promise<boolean> {
    this.stopped.push(id);
    return Promise.resolve(id === 4);
  }
}

const body = { source: 'wss://host:4984/db', target: 'db', bidirectional: true };

describe('/_replicate', () => {
  it('starts, shows and stops replications', async () => {
    const replications = new Control();
    await using gateway = await startGateway({ replications });
    const client = new CheckedClient(gateway.url);
    const answer = await client.post('/_replicate', body);
    expect([answer.status, answer.json]).toEqual([202, { ok: true, task_id: 4, session_id: 4 }]);
    expect(replications.started).toMatchObject([{ ...body, continuous: false }]);
    expect((await client.get('/_replicate')).json).toEqual([TASK]);
    expect((await client.get('/_replicate/4')).json).toEqual(TASK);
    const stopped = await client.delete('/_replicate/4');
    expect([stopped.status, stopped.json]).toEqual([200, { ok: true }]);
  });

  it.each<[object | string, number, string]>([
    ['{', 400, 'the body is not valid JSON'],
    [[], 400, 'the body must be a JSON object'],
    [{ ...body, sauce: 1 }, 400, "Unknown key 'sauce' in replication parameters."],
    [{ source: 'db' }, 400, 'target is missing. Add it'],
    [{ ...body, source: 'ws://u:5%@host/db' }, 400, 'source has a user name or password that is not percent-encoded'],
    [{ ...body, headers: { 'X-A': 'a\r\nb' } }, 400, 'headers.X-A has the wrong form'],
    [{ ...body, auth: { session_cookie: 'a\nb' } }, 400, 'auth.session_cookie has the wrong form'],
    [{ ...body, target: 'nowhere' }, 404, 'no database "nowhere"'],
    [{ ...body, continuous: true }, 409, 'an equivalent replication is running'],
  ])('refuses %j with %i', async (parameters, status, reason) => {
    await using gateway = await startGateway({ replications: new Control() });
    const headers = { 'content-type': 'application/json' };
    const answer = await new CheckedClient(gateway.url).post('/_replicate', parameters, { headers });
    expect([answer.status, answer.json.reason]).toEqual([status, expect.stringContaining(reason)]);
  });

  it.each([
    ['GET', '/_replicate/5', 404],
    ['DELETE', '/_replicate/5', 404],
    ['GET', '/_replicate/x', 400],
    ['DELETE', '/_replicate/-1', 400],
    ['DELETE', '/_replicate', 405],
  ])('%s %s is %i', async (method, path, status) => {
    await using gateway = await startGateway({ replications: new Control() });
    expect((await new CheckedClient(gateway.url).request(method, path)).status).toBe(status);
  });

  it('is for those with the role replicate or admin', async () => {
    const password = await hashPassword('x');
    await using gateway = await startGateway({
      replications: new Control(),
      config: { users: 'users.json', enable_anonymous_users: false },
      users: {
        root: { password, roles: ['admin'] },
        operator: { password, roles: ['replicate'] },
        alice: { password },
      },
    });
    const statusOf = async (name: string): Promise<number[]> => {
      const authorization = `Basic ${Buffer.from(`${name}:x`).toString('base64')}`;
      const client = new CheckedClient(gateway.url, { authorization });
      const answers = [
        await client.get('/_replicate'),
        await client.get('/_replicate/4'),
        await client.post('/_replicate', body),
        await client.delete('/_replicate/4'),
      ];
      return answers.map(({ status }) => status);
    };
    expect(await statusOf('root')).toEqual([200, 200, 202, 200]);
    expect(await statusOf('operator')).toEqual([200, 200, 202, 200]);
    expect(await statusOf('alice')).toEqual([403, 403, 403, 403]);
    expect((await new CheckedClient(gateway.url).get('/_replicate')).status).toBe(401);
  });

  it('is refused where nothing replicates', async () => {
    await using gateway = await startGateway();
    expect((await new CheckedClient(gateway.url).get('/_replicate')).status).toBe(501);
  });
});
