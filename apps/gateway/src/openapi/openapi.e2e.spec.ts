import { createHash } from 'node:crypto';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CheckedClient, type Loose } from '../testing/checked-client.js';
import { EXAMPLES } from './examples.js';
import { startGateway, type TestGateway } from '../testing/start-gateway.js';

let gateway: TestGateway;
let client: CheckedClient;

beforeAll(async () => {
  gateway = await startGateway();
  client = new CheckedClient(gateway.url);
});
afterAll(() => gateway[Symbol.asyncDispose]());

describe('the OpenAPI document', () => {
  it('describes every route that is served, and no other', async () => {
    const { json } = await client.get('/_openapi.json');
    const documented = Object.entries<object>(json.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const { allowedMethods } = gateway.app.getHttpAdapter() as unknown as {
      allowedMethods: { routes: readonly string[] };
    };
    const served = allowedMethods.routes.map((route) => route.replaceAll(/:(\w+)/g, '{$1}'));
    expect(documented.sort()).toEqual([...served].sort());
  });

  it('is OpenAPI 3.1 without dangling references or double operation IDs', async () => {
    const { json, text } = await client.get('/_openapi.json');
    expect(json.openapi).toBe('3.1.0');
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g))
      expect(json.components.schemas).toHaveProperty(name!);
    const operations = Object.values<Record<string, Loose>>(json.paths).flatMap((item) => Object.values(item));
    const ids = operations.map(({ operationId }) => operationId as string);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it.each([
    ['/{keyspace}/{docid}', 'put', ['rev', 'ttl', 'expires', 'show_cv', 'If-Match']],
    [
      '/{keyspace}/_all_docs',
      'get',
      [
        ...['descending', 'include_docs', 'inclusive_end', 'show_cv', 'limit', 'skip'],
        ...['key', 'keys', 'startkey', 'endkey', 'start_key', 'end_key', 'If-None-Match'],
      ],
    ],
    ['/{keyspace}/{docid}', 'get', ['rev', 'revs_from', 'revs_limit', 'show_cv', 'If-None-Match']],
  ])('names the parameters of %s %s', async (path, method, names) => {
    const { json } = await client.get('/_openapi.json');
    const parameters = json.paths[path][method].parameters.filter((one: { in: string }) => one.in !== 'path');
    expect(parameters.map(({ name }: { name: string }) => name).sort()).toEqual([...names].sort());
  });

  it('says which schema, statuses and errors a reply has', async () => {
    const { json } = await client.get('/_openapi.json');
    const { responses } = json.paths['/{keyspace}/{docid}'].put;
    expect(Object.keys(responses)).toEqual([
      '200',
      '201',
      '400',
      '401',
      '403',
      '404',
      '409',
      '413',
      '415',
      '429',
      '500',
      '503',
      '507',
    ]);
    expect(responses['409'].content['application/json'].schema.$ref).toBe('#/components/schemas/Error');
    expect(responses['201'].content['application/json'].schema.$ref).toBe('#/components/schemas/WriteReply');
  });
});

describe('examples', () => {
  it('are as their schemas say', async () => {
    const { json } = await client.get('/_openapi.json');
    const ajv = new Ajv2020({ strict: false });
    ajv.addSchema({ $id: 'api:', ...json });
    for (const [name, example] of Object.entries(EXAMPLES)) {
      const check = ajv.compile({ $ref: `api:#/components/schemas/${name}` });
      expect([name, check(example), check.errors]).toEqual([name, true, null]);
    }
  });

  it('are shown as a command line and a reply', async () => {
    const { text } = await client.get('/_docs');
    expect(text).toContain("curl -X PUT 'http://127.0.0.1:59840/travel.inventory.hotels/hotel_10025'");
    expect(text).toContain('&quot;ok&quot;: true');
  });
});

describe('operation IDs', () => {
  it('are the names of the handlers', async () => {
    const { json } = await client.get('/_openapi.json');
    const operations = Object.values<Record<string, Loose>>(json.paths).flatMap((item) => Object.values(item));
    for (const { operationId } of operations) expect(operationId).toMatch(/^[a-z]+(?:[A-Z][a-z]+)+$/);
    expect(json.paths['/{keyspace}/{docid}'].put.operationId).toBe('putDocument');
    expect(json.paths['/{keyspace}/{docid}'].head.operationId).toBe('headDocument');
  });
});

describe('the page', () => {
  it('shows every endpoint, and loads nothing from elsewhere', async () => {
    const { json } = await client.get('/_openapi.json');
    const { text, headers } = await client.get('/_docs');
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    for (const path of Object.keys(json.paths as object)) expect(text).toContain(`<span>${path}</span>`);
    expect(text).not.toMatch(/<script [^>]*src|<link|<img|src=|@import|url\(|href="http/);
    expect(text.match(/<script/g)).toHaveLength(1);
    const [, script] = /<script>([^]*?)<\/script>/.exec(text)!;
    const hash = createHash('sha256').update(script!).digest('base64');
    expect(headers['content-security-policy']).toContain(`script-src 'sha256-${hash}'`);
  });
});
