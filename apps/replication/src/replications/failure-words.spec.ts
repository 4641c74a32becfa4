import { BlipClosedError } from '@edgesync/blip';
import { EdgeError } from '@edgesync/errors';
import { ReplicationError } from '@edgesync/replicator';
import { DialError } from '@edgesync/socket-ws';
import { describe, expect, it } from 'vitest';
import { configOf, observersOf } from '../testing/running-server.js';
import { failureOf } from './failure.js';
import { failureLabels } from './failure-words.js';
import { ReplicationObservers } from './replication-observers.service.js';

const refused = (domain: string, code: number): ReplicationError =>
  new ReplicationError({ domain, code, message: 'x' }, 'subChanges');
const closed = (code: number): BlipClosedError => new BlipClosedError({ code, reason: '', by: 'peer' });

describe('the label of a failure', () => {
  it.each([
    ['a status', new DialError('x', 503), '503'],
    ['a status that does not exist', new DialError('x', 799), 'other'],
    ['a refusal', refused('HTTP', 404), '404'],
    ['a refusal with a status of success', refused('HTTP', 200), 'other'],
    ['a close code', closed(1006), '1006'],
    ['a close code of Couchbase Lite', closed(4001), '4001'],
    ['a close code of somebody else', closed(4321), 'other'],
    ['a fault of the network', new DialError('x', undefined, { cause: { code: 'ECONNREFUSED' } }), '19'],
    ['an unknown fault of the network', new DialError('x', undefined, { cause: { code: 'EWHATEVER' } }), '13'],
    ['a network code in a reply', refused('Network', 7_777), 'other'],
    ['a LiteCore code in a reply', refused('LiteCore', 501), 'other'],
    ['a SQLite code in a reply', refused('SQLite', 11), 'other'],
    ['a fault of ours', new EdgeError('storage.busy'), '12'],
    ['a full disk', new EdgeError('storage.full'), '28'],
    ['a bug', new TypeError('x'), '10'],
  ])('is its code where that has a meaning: %s', (_what, error, label) => {
    expect(failureLabels(failureOf(error)).code).toBe(label);
  });

  it('is one of few, whatever a server sends', () => {
    const labels = new Set<string>();
    for (let domain = 0; domain < 10; domain++)
      for (let code = -1; code < 65_536; code++) labels.add(`${domain}/${failureLabels({ domain, code }).code}`);
    expect(labels.size).toBeLessThan(130);
  });
});

it('a server that refuses with many codes makes one series of them', () => {
  const { audit, loggers, metrics } = observersOf(configOf({ databases: { db: { path: 'db.cblite2' } } }));
  const ends = { source: 'db', target: 'ws://remote/db', database: 'db', remote: 'ws://remote/db' };
  const plan = { ...ends, push: true, pull: true, continuous: true, collections: [] };
  const observed = new ReplicationObservers(audit, metrics, loggers).begin(1, plan);
  observed.failed(failureOf(refused('HTTP', 503)));
  for (let code = 10_000; code < 10_100; code++) observed.failed(failureOf(refused('HTTP', code)));
  const series = metrics.render().match(/^edgesync_upstream_failures_total.*$/gm);
  expect(series).toEqual([
    'edgesync_upstream_failures_total{database="db",domain="6",code="503"} 1',
    'edgesync_upstream_failures_total{database="db",domain="6",code="other"} 100',
  ]);
});
