import { Loggers } from '@edgesync/logging';
import { expect, it } from 'vitest';
import { NestLogger } from './nest-logger.js';

it('passes Nest’s messages to a log domain, its list of routes at verbose', () => {
  const lines: string[] = [];
  const output = { line: (text: string) => void lines.push(text), flush: () => Promise.resolve(), flushSync: () => {} };
  const config = { console: true, domains: new Map([['Listener', 'verbose'] as const]) };
  const nest = new NestLogger(new Loggers({ config, output, now: Date.now }).domain('Listener'));
  nest.log('Mapped {/, GET} route', 'RouterExplorer');
  nest.error('broken', 'at x.js', 'ExceptionsHandler');
  expect(lines.map((line) => line.slice(28))).toEqual([
    'Listener Verbose RouterExplorer: Mapped {/, GET} route',
    'Listener ERROR ExceptionsHandler: broken at x.js',
  ]);
});
