import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CheckedClient } from '../testing/checked-client.js';
import { startGateway, type TestGateway } from '../testing/start-gateway.js';

let gateway: TestGateway;
let client: CheckedClient;

beforeAll(async () => {
  gateway = await startGateway();
  client = new CheckedClient(gateway.url);
});
afterAll(() => gateway[Symbol.asyncDispose]());

describe('the path of sync', () => {
  it('asks for an upgrade if a request brings none', async () => {
    for (const answer of [await client.get('/db/_blipsync'), await client.head('/db/_blipsync/')]) {
      expect(answer.status).toBe(426);
      expect(answer.headers).toMatchObject({ upgrade: 'websocket', connection: 'Upgrade' });
    }
  });

  it('is there for databases that exist', async () => {
    expect((await client.get('/nowhere/_blipsync')).status).toBe(404);
    expect((await client.get('/_nothing/_blipsync')).status).toBe(404);
  });
});
