import { describe, expect, it } from 'vitest';
import { type Transport, type TransportReceiver } from '@edgesync/blip';
import { ANONYMOUS } from '@edgesync/access';
import { ActiveTasks, Loggers } from '@edgesync/platform';
import { contextOf, temporaryStorage } from '../testing/running-server.js';
import { STOP_MS } from '../tuning.js';
import type { Admission } from './peer-admission.service.js';
import type { PeerIdentity } from './peer-identity.js';
import type { PeerObserver } from './peer-observer.service.js';
import { PeerSessions } from './peer-sessions.service.js';

/** An app that never answers, not even the close frame. */
class SilentTransport implements Transport {
  readonly bufferedBytes = 0;
  readonly congested = false;
  readonly calls: string[] = [];
  private receiver?: TransportReceiver;

  send(): void {}

  attach(receiver: TransportReceiver): void {
    this.receiver = receiver;
  }

  close(code: number): void {
    this.calls.push(`close ${code}`);
  }

  terminate(): void {
    this.calls.push('terminate');
    this.receiver?.onClose(1006, '');
  }
}

describe('the sessions of a server that stops', () => {
  it('are cut off when the app does not close in time', async () => {
    await using storage = await temporaryStorage();
    const timers = new Map<number, () => void>();
    const context = contextOf(storage, {
      schedule: (delayMs, callback) => {
        timers.set(delayMs, callback);
        return () => timers.delete(delayMs);
      },
    });
    const logged = { line: () => {}, flush: () => Promise.resolve(), flushSync: () => {} };
    const config = { console: false, domains: new Map() } as never;
    const sessions = new PeerSessions(
      context,
      { begin: () => () => {} } as unknown as PeerObserver,
      new ActiveTasks(),
      { watch: () => () => {} } as unknown as PeerIdentity,
      new Loggers({ config, output: logged, now: Date.now, verbose: false }),
    );
    const transport = new SilentTransport();
    const database = await storage.describe('db');
    const policy = { pull: true, push: true } as never;
    sessions.open(transport, {
      principal: ANONYMOUS,
      remote: '127.0.0.1:1',
      database,
      policy,
      version: 3,
    } as Admission);
    const stopped = sessions.beforeApplicationShutdown();
    await expect.poll(() => transport.calls).toEqual(['close 4001']);
    timers.get(STOP_MS)!();
    await stopped;
    expect(transport.calls).toEqual(['close 4001', 'terminate']);
    await expect.poll(() => sessions.list()).toEqual([]);
  });
});
