import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Report } from './report.js';
import { measureBus } from './scenarios/bus.js';
import { measureFeeds } from './scenarios/feeds.js';
import { measureLimits } from './scenarios/limits.js';
import { measureProtection } from './scenarios/protection.js';
import { measureRest } from './scenarios/rest.js';
import { measureSplit } from './scenarios/split.js';
import { measureSync } from './scenarios/sync.js';
import { measureUpstream } from './scenarios/upstream.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { large: { type: 'boolean', default: false }, json: { type: 'string' } },
});

const scenarios: Record<string, (report: Report) => Promise<void>> = {
  limits: measureLimits,
  bus: measureBus,
  feeds: measureFeeds,
  rest: (report) => measureRest(report, { large: values.large }),
  protection: measureProtection,
  sync: (report) => measureSync(report, { large: values.large }),
  split: measureSplit,
  upstream: measureUpstream,
};

const chosen = positionals.length > 0 ? positionals : Object.keys(scenarios);
const unknown = chosen.find((name) => !scenarios[name]);
if (unknown) {
  console.error(`unknown scenario ${unknown}; there are ${Object.keys(scenarios).join(', ')}`);
  process.exitCode = 1;
} else {
  const report = new Report();
  for (const name of chosen) await scenarios[name]!(report);
  if (values.json) writeFileSync(values.json, `${JSON.stringify(report.figures, null, 2)}\n`);
}
