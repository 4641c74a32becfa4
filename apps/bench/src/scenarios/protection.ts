import { TestCertificate } from '@edgesync/test-kit';
import { sampleDocument } from '../load/documents.js';
import { httpLoad } from '../load/http-load.js';
import { ServerProcess } from '../load/server-process.js';
import type { Report } from '../report.js';

const CONNECTIONS = 16;
const ROUNDS = 5;
const REQUESTS = 20_000;

/** bcrypt of "geheim". */
const PASSWORD = '$2y$05$abcdefghijklmnopqrstuuVWu8RjbNovPZWAMRdd7iqaaG0mI53Uu';
const AUTHORIZATION = `Basic ${Buffer.from('alice:geheim').toString('base64')}`;

/**
 * The cost of TLS and access control for a GET of one document: processor time of the server per request, which other
 * processes disturb little, the best of several rounds taken in turns.
 */
export async function measureProtection(report: Report): Promise<void> {
  const certificate = await TestCertificate.selfSigned('CN=bench', { usage: 'server' });
  const users = { alice: { password: PASSWORD } };
  const ruled = { alice: { password: PASSWORD, access: { db: ['read'], 'db.*': ['read', 'write'] } } };
  const https = { tls_cert_path: 'cert.pem', tls_key_path: 'key.pem' };
  const secrets = { 'cert.pem': certificate.pem, 'key.pem': certificate.keyPem };
  await using open = await ServerProcess.start({}, { users: 'users.json' }, { 'users.json': JSON.stringify(users) });
  await using controlled = await ServerProcess.start(
    {},
    { users: 'users.json', enable_user_access_control: true },
    { 'users.json': JSON.stringify(ruled) },
  );
  await using secure = await ServerProcess.start(
    {},
    { users: 'users.json', https },
    { ...secrets, 'users.json': JSON.stringify(users) },
  );
  const servers = [
    { server: open, ca: undefined },
    { server: controlled, ca: undefined },
    { server: secure, ca: certificate.pem },
  ];
  const best = servers.map(() => Infinity);
  for (const { server, ca } of servers) {
    await load(server, ca, 1, 201, put());
    await load(server, ca, REQUESTS, 200, GET);
  }
  for (let round = 0; round < ROUNDS; round++)
    for (const [index, { server, ca }] of servers.entries()) {
      const before = server.cpuSeconds();
      await load(server, ca, REQUESTS, 200, GET);
      best[index] = Math.min(best[index]!, ((server.cpuSeconds() - before) / REQUESTS) * 1e6);
    }
  const [plain, access, tls] = best as [number, number, number];
  const more = (cost: number): number => Math.round((cost / plain - 1) * 100);
  report.add('GET one document: processor time', Math.round(plain), 'µs');
  report.add('GET one document: access control costs', more(access), '%', { atMost: 10 });
  report.add('GET one document: TLS costs', more(tls), '%', { atMost: 30 });
}

const GET = Buffer.from(`GET /db/doc HTTP/1.1\r\nHost: bench\r\nAuthorization: ${AUTHORIZATION}\r\n\r\n`);

function put(): Buffer {
  const body = JSON.stringify(sampleDocument(7));
  const head = `PUT /db/doc HTTP/1.1\r\nHost: bench\r\nAuthorization: ${AUTHORIZATION}\r\n`;
  return Buffer.from(
    `${head}Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

async function load(
  { port }: ServerProcess,
  ca: string | undefined,
  requests: number,
  status: number,
  request: Buffer,
): Promise<void> {
  const connections = Math.min(CONNECTIONS, requests);
  await httpLoad({ port, connections, requests, status, next: () => request, ...(ca !== undefined && { ca }) });
}
