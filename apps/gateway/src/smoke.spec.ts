import { it } from 'vitest';
import { startGateway } from './testing/start-gateway.js';
it('x', async () => {
  await using g = await startGateway();
  const t = async (m: string, p: string, body?: string, headers: Record<string,string> = {}) => {
    const r = await fetch(g.url + p, { method: m, body, headers });
    console.log(m, p, r.status, JSON.stringify(Object.fromEntries(r.headers)), await r.text());
  };
  await t('GET', '/');
  await t('GET', '/_all_dbs');
  await t('GET', '/db');
  await t('PUT', '/db/a%2Fb', '{"x":9007199254740993}');
  await t('GET', '/db/a%2Fb');
  await t('HEAD', '/db/a%2Fb');
  await t('GET', '/db/_all_docs?include_docs');
  await t('POST', '/db/_bulk_docs', '{"docs":[{"_id":"q"},{},3,{"_id":"a/b"}]}', {'content-type':'application/json'});
  await t('PATCH', '/db/x');
  await t('GET', '/nope/x');
  await t('GET', '/db/_changes');
  await t('POST', '/db/_changes');
  await t('PUT', '/db/z/k', 'hello', {'content-type':'text/html'});
  await t('GET', '/db/z/k');
  console.log(g.log.join('\n'));
});
