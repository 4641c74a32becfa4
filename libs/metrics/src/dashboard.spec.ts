import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { Metrics } from './metrics.js';

it('the dashboard shows metrics that exist, and all of them', () => {
  const metrics = new Metrics();
  metrics.showBuild('1', '1');
  metrics.storage.watchQueues(() => []);
  metrics.storage.watchUsage(() => []);
  metrics.watchCertificates(() => []);
  metrics.queries.watchLoad({ running: () => [], waiting: () => [] });
  metrics.queries.watchIndexes({ states: () => [], pending: () => [] });
  metrics.sync.watchTraffic({ revisions: () => [], bytes: () => [] });
  metrics.replication.watch({
    replications: () => [],
    failing: () => [],
    documents: () => [],
    bytes: () => [],
    pending: () => [],
    lastSuccess: () => [],
    nextRetry: () => [],
  });
  metrics.watchLosses({ logLines: () => 0, auditEvents: () => 0 });
  const served = new Set([...metrics.render().matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!));
  const dashboard = readFileSync(new URL('../../../deploy/grafana/edgesync.json', import.meta.url), 'utf8');
  const shown = new Set(
    [...dashboard.matchAll(/\b((?:edgesync|process)_[a-z_]+)\{/g)].map(([, name]) =>
      name!.replace(/_(bucket|sum|count)$/, ''),
    ),
  );
  expect([...shown].filter((name) => !served.has(name))).toEqual([]);
  expect([...served].filter((name) => !shown.has(name))).toEqual([]);
});
