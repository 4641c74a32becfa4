import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hashPassword } from '@edgesync/platform';
import { EdgeSandbox } from './testing/edge-process.js';

/** Part of every planted secret. */
const MARK = 'xqzsecret';
const PASSWORD = `${MARK}-password`;
const base64 = (text: string): string => Buffer.from(text).toString('base64');
/** Secrets as they are, and as they were sent: they must not turn up anywhere. */
const FORBIDDEN = [
  MARK,
  encodeURIComponent(MARK),
  base64(`alice:${PASSWORD}`),
  base64(`bob:${PASSWORD}`),
  base64(MARK).slice(0, 10),
];

const basic = (text: string): string => `Authorization: Basic ${base64(text)}`;
const body = (json: string): string =>
  `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(json)}\r\n\r\n${json}`;
const upgrade =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==';
const alice = basic(`alice:${PASSWORD}`);
const bodyOf = `{"password":"${MARK}","text":"${MARK}"}`;

/** Requests that carry secrets, right and wrong ones: what is between the method and the end of the request. */
const REQUESTS: Readonly<Record<string, string>> = {
  'right password': `GET /_all_dbs HTTP/1.1\r\n${alice}`,
  'wrong password': `GET /_all_dbs HTTP/1.1\r\n${basic(`alice:${MARK}`)}`,
  'unknown user': `GET /db/doc HTTP/1.1\r\n${basic(`bob:${PASSWORD}`)}`,
  'bearer token': `GET /db HTTP/1.1\r\nAuthorization: Bearer ${MARK}`,
  'broken credentials': `GET /db HTTP/1.1\r\nAuthorization: Basic ${MARK}!`,
  cookie: `GET /db HTTP/1.1\r\n${alice}\r\nCookie: SyncGatewaySession=${MARK}`,
  document: `PUT /db/doc HTTP/1.1\r\n${alice}\r\n${body(bodyOf)}`,
  conflict: `PUT /db/doc?rev=1-00 HTTP/1.1\r\n${alice}\r\n${body(bodyOf)}`,
  'broken document': `PUT /db/broken HTTP/1.1\r\n${alice}\r\n${body(`{"password":"${MARK}`)}`,
  'no document': `PUT /db/broken HTTP/1.1\r\n${alice}\r\n${body(`["${MARK}"]`)}`,
  'bad metadata': `PUT /db/broken HTTP/1.1\r\n${alice}\r\n${body(`{"_id":7,"_rev":"${MARK}","a":"${MARK}"}`)}`,
  batch: `POST /db/_bulk_docs HTTP/1.1\r\n${alice}\r\n${body(`{"docs":[{"_id":"b","p":"${MARK}"},"${MARK}"]}`)}`,
  property: `PUT /db/doc2/p HTTP/1.1\r\n${alice}\r\n${body(`"${MARK}"`)}`,
  'ad hoc query': `POST /db/_query HTTP/1.1\r\n${alice}\r\n${body(`{"query":"SELECT '${MARK}'"}`)}`,
  replication: `POST /_replicate HTTP/1.1\r\n${alice}\r\n${body(`{"source":"wss://u:${MARK}@h/db","target":"db"}`)}`,
  'absolute URL': `GET http://alice:${MARK}@127.0.0.1/db HTTP/1.1\r\n${alice}`,
  'broken URL': `GET http://alice:${MARK}@host%/%zz HTTP/1.1\r\n${alice}`,
  'URL in the path': `GET /db/wss%3A%2F%2Fu%3A${MARK}%40host HTTP/1.1\r\n${alice}`,
  'URL in a parameter': `GET /db/_all_docs?from=wss://u:${MARK}@host HTTP/1.1\r\n${alice}`,
  'token in a parameter': `GET /db/_all_docs?access_token=${MARK}&password=${MARK}&limit=x HTTP/1.1\r\n${alice}`,
  'malformed header': `GET /db HTTP/1.1\r\n${alice}\r\nAuthor ization: ${MARK}`,
  'malformed request line': `GET /db?token=${MARK} HTTP/9.9\r\n${alice}`,
  'long headers': `GET /db HTTP/1.1\r\n${alice}\r\nX-Token: ${MARK.repeat(8_000)}`,
  'session of a sync client': `GET /db/_blipsync HTTP/1.1\r\n${upgrade}\r\nSec-WebSocket-Protocol: BLIP_3+CBMobile_4, SyncGatewaySession_${MARK}`,
  'sync with a wrong password': `GET /db/_blipsync HTTP/1.1\r\n${upgrade}\r\nSec-WebSocket-Protocol: BLIP_3+CBMobile_4\r\n${basic(`alice:${MARK}`)}`,
  'sync with the right password': `GET /db/_blipsync HTTP/1.1\r\n${upgrade}\r\nSec-WebSocket-Protocol: BLIP_3+CBMobile_4\r\n${alice}`,
  'no HTTP': `${MARK}`,
};

/** Sends a request as it is and returns the answer, or what came of it until the connection ended. */
async function send(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.on('data', (data) => (answer += data.toString('latin1')));
  socket.on('error', () => {});
  const separator = request.includes('\r\n\r\n') ? '' : '\r\n\r\n';
  socket.write(request.replace('HTTP/1.1\r\n', 'HTTP/1.1\r\nHost: x\r\n') + separator);
  await Promise.race([once(socket, 'data'), once(socket, 'close')]);
  socket.destroy();
  return answer;
}

/** Text of all files below a directory, apart from the database, which holds what clients wrote. */
function textBelow(directory: string): string {
  return readdirSync(directory)
    .filter((name) => !name.endsWith('.cblite2') && !/^(config|users)/.test(name))
    .map((name) => join(directory, name))
    .map((path) => (statSync(path).isDirectory() ? textBelow(path) : readFileSync(path, 'utf8')))
    .join('\n');
}

const found = (text: string): string[] => FORBIDDEN.filter((secret) => text.includes(secret));

describe('secrets', () => {
  it('that come with requests appear in no log, audit event, metric or error', async () => {
    const levels = Object.fromEntries(
      ['Default', 'REST', 'Listener', 'DB', 'Query', 'Sync'].map((name) => [name, 'verbose']),
    );
    using sandbox = await EdgeSandbox.create(
      {},
      {
        users: 'users.json',
        enable_anonymous_users: false,
        logging: { file: { dir: 'logs', rotateCount: 99 }, audit: { file: 'audit.log', enable: '*' }, domains: levels },
      },
    );
    mkdirSync(join(sandbox.directory, 'logs'));
    const password = await hashPassword(PASSWORD);
    writeFileSync(join(sandbox.directory, 'users.json'), JSON.stringify({ alice: { password, roles: ['admin'] } }));
    await using server = await sandbox.start('--verbose');
    for (const [name, request] of Object.entries(REQUESTS)) {
      const answer = await send(sandbox.port, request);
      expect(found(answer), `answer to: ${name}`).toEqual([]);
    }
    // Only to be sure that what was searched had something in it.
    const metrics = await send(sandbox.port, `GET /_metrics HTTP/1.1\r\n${alice}`);
    expect(metrics).toContain('edgesync_http_request_duration_seconds_count{method="GET",route="/:keyspace"');
    expect(found(metrics)).toEqual([]);
    await server.end('SIGTERM');
    const files = textBelow(sandbox.directory);
    expect(files).toContain('"id":57346');
    expect(files).toContain('REST Info');
    expect(files).toMatch(/REST Info \S+ \(alice\) GET \S+access_token=…&password=…&limit=x -> 400/);
    expect(files).toMatch(/"uri":"\/db\/_all_docs\?from=wss:\/\/…@host"/);
    for (const [place, text] of Object.entries({ files, stderr: server.stderr, stdout: server.stdout }))
      expect(found(text), place).toEqual([]);
    expect(files).not.toContain(password);
  });

  it.each<[string, object, string]>([
    ['database', { databases: { db: { path: 'a.cblite2', password: MARK } } }, '{}'],
    [
      'replication',
      {
        databases: {},
        replications: [{ source: `wss://u:${MARK}@h/db`, target: 'x', auth: { password: MARK, user: 7 } }],
      },
      '{}',
    ],
    ['token', { databases: {}, replications: [{ auth: { openid_token: { paths: MARK } } }] }, '{}'],
    ['password in the place of a hash', { databases: {}, users: 'users.json' }, `{"alice":{"password":"${MARK}"}}`],
    ['broken users file', { databases: {}, users: 'users.json' }, `{"alice":{"password":"${MARK}"`],
  ])('of a configuration with errors are not shown: %s', async (_, config, users) => {
    using sandbox = await EdgeSandbox.create();
    writeFileSync(sandbox.configFile, JSON.stringify(config));
    writeFileSync(join(sandbox.directory, 'users.json'), users);
    await using server = sandbox.spawn(sandbox.configFile);
    expect(await server.exitCode()).toBe(1);
    expect(server.stderr).not.toBe('');
    expect(found(server.stderr + server.stdout)).toEqual([]);
  });
});
