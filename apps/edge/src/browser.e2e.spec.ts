import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashPassword } from '@edgesync/platform';
import { launchChromium, type TestBrowser, type TestPage } from '@edgesync/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EdgeSandbox, type EdgeProcess } from './testing/edge-process.js';

const AUTHORIZATION = `Basic ${Buffer.from('alice:geheim').toString('base64')}`;

let browser: TestBrowser;
let listed: TestPage;
let unlisted: TestPage;
let sandbox: EdgeSandbox;
let server: EdgeProcess;

beforeAll(async () => {
  browser = await launchChromium();
  [listed, unlisted] = [await browser.openPage(), await browser.openPage()];
  const headers = ['Content-Type', 'Authorization', 'If-Match'];
  sandbox = await EdgeSandbox.create(
    {},
    { users: 'users.json', cors: { origin: [listed.origin], headers, max_age: 60 } },
  );
  const users = { alice: { password: await hashPassword('geheim') } };
  writeFileSync(join(sandbox.directory, 'users.json'), JSON.stringify(users));
  server = await sandbox.start();
}, 300_000);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  sandbox[Symbol.dispose]();
  await browser[Symbol.asyncDispose]();
});

interface Outcome {
  readonly status?: number;
  readonly json?: Record<string, unknown>;
  readonly etag?: string | null;
  /** Name of the error that the browser gave to the page instead of a reply. */
  readonly refused?: string;
}

/** The part of a request that can be handed to a page. */
interface PlainRequest {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** Lets the page send a request the way its script would. */
function fetchFrom({ page }: TestPage, path: string, init: PlainRequest = {}): Promise<Outcome> {
  return page.evaluate(
    async ([url, options]) => {
      try {
        const response = await fetch(url, { credentials: 'include', ...options });
        const json = (await response.json()) as Record<string, unknown>;
        return { status: response.status, json, etag: response.headers.get('etag') };
      } catch (error) {
        return { refused: (error as Error).name };
      }
    },
    [`${sandbox.url}${path}`, init] as const,
  );
}

/** The sub-protocol of a WebSocket that the page opened, or the code it was closed with. */
function connectFrom({ page }: TestPage): Promise<string | number> {
  return page.evaluate(
    (url) =>
      new Promise<string | number>((resolve) => {
        const socket = new WebSocket(url, ['BLIP_3+CBMobile_3']);
        socket.onopen = () => {
          resolve(socket.protocol);
          socket.close();
        };
        socket.onclose = ({ code }) => resolve(code);
      }),
    `${sandbox.url.replace('http', 'ws')}/db/_blipsync`,
  );
}

// docs/protocol/edge-server.md#cors
describe('a page of a listed origin, in Chromium', () => {
  it('writes with credentials, headers of its own and methods that need a preflight', async () => {
    const headers = { authorization: AUTHORIZATION, 'content-type': 'application/json' };
    const created = await fetchFrom(listed, '/db/meal', { method: 'PUT', headers, body: '{"n":1}' });
    expect(created.status).toBe(201);
    const rev = created.json!['rev'] as string;
    const read = await fetchFrom(listed, '/db/meal', { headers });
    expect(read).toMatchObject({ status: 200, json: { n: 1 }, etag: `"${rev}"` });
    const matching = { ...headers, 'if-match': read.etag! };
    const updated = await fetchFrom(listed, '/db/meal', { method: 'PUT', headers: matching, body: '{"n":2}' });
    expect(updated.status).toBe(201);
    const removed = { ...headers, 'if-match': updated.json!['rev'] as string };
    expect((await fetchFrom(listed, '/db/meal', { method: 'DELETE', headers: removed })).status).toBe(200);
  });

  it.each([
    ['/db/nothing', {}, 404, 'missing'],
    ['/db', { headers: { authorization: 'Basic bm9ib2R5OnB3' } }, 401, 'authentication required'],
    ['/nowhere', {}, 404, 'no database nowhere'],
    ['/db/meal', { method: 'PUT', headers: { 'content-type': 'application/json' }, body: '[]' }, 400, undefined],
  ])('reads why %s is refused', async (path, init, status, reason) => {
    const outcome = await fetchFrom(listed, path, init);
    expect(outcome).toMatchObject({ status, json: { status } });
    if (reason !== undefined) expect(outcome.json!['reason']).toBe(reason);
  });

  it('reads a feed as it comes', async () => {
    const line = listed.page.evaluate(async (url) => {
      const response = await fetch(`${url}/db/_changes?feed=continuous&since=now&include_docs=true`, {
        credentials: 'include',
      });
      await fetch(`${url}/db`, { method: 'POST', credentials: 'include', body: new Blob(['{"fresh":true}']) });
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
      let text = '';
      while (!text.trim().includes('\n') && !text.trim().endsWith('}')) text += (await reader.read()).value ?? '';
      await reader.cancel();
      return text.trim();
    }, sandbox.url);
    expect(JSON.parse(await line)).toMatchObject({ doc: { fresh: true } });
  });

  it('opens a sync connection', async () => {
    expect(await connectFrom(listed)).toBe('BLIP_3+CBMobile_3');
  });
});

// docs/protocol/edge-server.md#cors
describe('a page of another origin, in Chromium', () => {
  it.each([
    ['a simple request', {}],
    ['a preflighted one', { method: 'PUT', headers: { 'content-type': 'application/json' }, body: '{}' }],
    ['one with credentials', { headers: { authorization: AUTHORIZATION } }],
  ])('gets nothing out of %s', async (_, init) => {
    expect(await fetchFrom(unlisted, '/db/from-elsewhere', init)).toEqual({ refused: 'TypeError' });
    expect((await fetch(`${sandbox.url}/db/from-elsewhere`)).status).toBe(404);
  });

  it('opens no sync connection', async () => {
    expect(await connectFrom(unlisted)).toBe(1006);
  });
});
