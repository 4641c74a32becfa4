import type { LoggingConfig, LogLevel } from '@edgesync/config';
import { EdgeError } from '@edgesync/errors';
import { describe, expect, it } from 'vitest';
import { Loggers, type LogDomain } from './loggers.js';

function loggers(
  options: { domains?: [string, LogLevel][]; console?: boolean; verbose?: boolean; color?: boolean } = {},
) {
  const lines: string[] = [];
  const config: LoggingConfig = { console: options.console ?? true, domains: new Map(options.domains) };
  const output = { line: (text: string) => void lines.push(text), flush: () => Promise.resolve(), flushSync: () => {} };
  const made = new Loggers({
    config,
    output,
    now: () => 1_785_587_696_123.456,
    verbose: options.verbose,
    color: options.color,
  });
  return { made, lines };
}

/** The levels at which a domain writes. */
function written(domain: LogDomain, options: Parameters<typeof loggers>[0]) {
  const { made, lines } = loggers(options);
  for (const level of ['error', 'warning', 'info', 'verbose'] as const) made.domain(domain)[level]('x');
  return lines.map((line) => line.split(' ')[2]);
}

describe('log levels', () => {
  it('are warning by default, and info for REST', () => {
    expect(written('DB', {})).toEqual(['ERROR', 'WARNING']);
    expect(written('REST', {})).toEqual(['ERROR', 'WARNING', 'Info']);
  });

  it('are those of the configuration', () => {
    expect(written('REST', { domains: [['REST', 'error']] })).toEqual(['ERROR']);
    expect(written('Sync', { domains: [['Sync', 'verbose']] })).toEqual(['ERROR', 'WARNING', 'Info', 'Verbose']);
  });

  it('are lifted to info by --verbose, and never lowered', () => {
    expect(written('REST', { domains: [['REST', 'error']], verbose: true })).toEqual(['ERROR', 'WARNING', 'Info']);
    expect(written('DB', { domains: [['DB', 'verbose']], verbose: true })).toHaveLength(4);
  });

  it('let nothing pass when the console is off', () => {
    expect(written('Default', { console: false, verbose: true })).toEqual([]);
  });
});

describe('log lines', () => {
  it('name time, domain, level and message', () => {
    const { made, lines } = loggers();
    made.domain('DB').warning('the disk is nearly full');
    expect(lines).toEqual(['2026-08-01T12:34:56.123456Z DB WARNING the disk is nearly full']);
  });

  it('have the stack of an unexpected error and its causes, and of an expected one the words alone', () => {
    const { made, lines } = loggers();
    const cause = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    made.domain('DB').error('no commit', new EdgeError('storage.full', undefined, { cause }));
    made.domain('DB').error('no commit', new Error('bug', { cause }));
    made.domain('DB').error('no commit', 'because');
    made.domain('DB').error('no commit', Object.assign(cause, { syscall: 'write' }));
    expect(lines[0]).toMatch(/ no commit: the disk is full: ENOSPC: no space left on device, write$/);
    expect(lines[1]).toMatch(/ no commit: Error: bug\\n +at .*\\nCaused by: ENOSPC: no space left on device, write$/);
    expect(lines[2]).toMatch(/ no commit: because$/);
    expect(lines[3]).toMatch(/ no commit: ENOSPC: no space left on device, write$/);
  });

  it('report a request with peer, user, status, reason and time taken', () => {
    const { made, lines } = loggers();
    const request = { method: 'GET', url: '/db/doc?rev=1-a', status: 200, reason: 'OK', elapsedMilliseconds: 0.3149 };
    made.domain('REST').request({ ...request, remoteAddress: '10.0.0.7', remotePort: 4711 });
    made.domain('REST').request({ ...request, remoteAddress: '::1', remotePort: 4711, user: 'alice' });
    expect(lines).toEqual([
      '2026-08-01T12:34:56.123456Z REST Info 10.0.0.7:4711 GET /db/doc?rev=1-a -> 200 OK (0.31 ms)',
      '2026-08-01T12:34:56.123456Z REST Info [::1]:4711 (alice) GET /db/doc?rev=1-a -> 200 OK (0.31 ms)',
    ]);
  });

  it('are one line each, whatever the message holds', () => {
    const { made, lines } = loggers();
    made.domain('DB').error('first\nsecond\r\u001b[31m', new Error('cause'));
    expect(lines[0]).toContain('first\\nsecond\\u000d\\u001b[31m: Error: cause\\n');
    expect(lines[0]).not.toMatch(/[\n\r\u001b]/);
  });

  it('hide credentials', () => {
    const { made, lines } = loggers();
    made
      .domain('Sync')
      .error('refused: Authorization: Basic YWxpY2U6Z2VoZWlt for wss://u:geheim@host/db, bearer abc.def');
    expect(lines[0]).toMatch(/refused: Authorization: Basic … for wss:\/\/…@host\/db, bearer …$/);
  });

  it('are coloured on request', () => {
    const { made, lines } = loggers({ color: true });
    made.domain('DB').error('bad');
    expect(lines[0]).toMatch(/^\u001b\[31m.*bad\u001b\[0m$/);
  });
});
