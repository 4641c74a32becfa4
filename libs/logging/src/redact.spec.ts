import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { oneLine, redact } from './redact.js';

describe('hiding credentials', () => {
  it.each([
    ['Authorization: Basic YWxpY2U6Z2VoZWlt', 'Authorization: Basic …'],
    ['authorization=Bearer geheim', 'authorization=Bearer …'],
    ['{"Proxy-Authorization":"Digest user=x, response=geheim"}', '{"Proxy-Authorization":"…"}'],
    ["{ cookie: 'SyncGatewaySession=geheim' }", "{ cookie: '…' }"],
    ['refused bearer geheim.geheim', 'refused bearer …'],
    ['dialling wss://alice:geheim@host/db', 'dialling wss://…@host/db'],
    ['dialling wss://alice:ge/he@im@host/db', 'dialling wss://…@host/db'],
    ['GET /db/x?to=wss%3A%2F%2Fa%3Ageheim%40host', 'GET /db/x?to=wss%3A%2F%2F…%40host'],
    ['GET /db/x?access_token=geheim&limit=1', 'GET /db/x?access_token=…&limit=1'],
    ['GET /db/x?PASSWORD=geheim', 'GET /db/x?PASSWORD=…'],
    ['{"password":"ge\\"heim","n":1}', '{"password":…,"n":1}'],
    ["{ openid_token: 'geheim', n: 1 }", '{ openid_token: …, n: 1 }'],
    ['{"session_cookie": "geheim"}', '{"session_cookie": …}'],
    ['offers BLIP_3, SyncGatewaySession_geheim', 'offers BLIP_3, SyncGatewaySession_…'],
  ])('%s', (text, hidden) => {
    expect(redact(text)).toBe(hidden);
    expect(redact(text)).not.toMatch(/ge\\?.?he.?im/);
  });

  it.each(['GET /db/alice@example.com -> 200 OK', 'listening on http://127.0.0.1:59840/db', 'session 7 has ended'])(
    'leaves %s alone',
    (text) => expect(redact(text)).toBe(text),
  );

  it.each(['://', '@', 'token=', '"password":"\\', 'a-', 'basic ', 'cookie:'])(
    'is done with a long text of %j (backtracking over it would take hours)',
    (piece) => expect(redact(`${piece.repeat(200_000)}x`).length).toBeGreaterThan(0),
  );
});

it('a text becomes one line without control characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => !/[\u0000-\u001f\u007f\u2028\u2029]/.test(oneLine(text))),
  );
});
