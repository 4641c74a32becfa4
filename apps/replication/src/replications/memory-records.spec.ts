import { describeReplicationRecords } from '@edgesync/ports/testing';
import type { LeaseHandlers, ReplicationLease } from '@edgesync/ports';
import { describe, expect, it } from 'vitest';
import { HeldLeases, MemoryReplicationRecords } from './memory-records.js';

describeReplicationRecords('in memory', async (count) => {
  const records = new MemoryReplicationRecords();
  return { records: Array.from({ length: count }, () => records), close: () => Promise.resolve() };
});

describe('leases of the only process', () => {
  const recording = (): LeaseHandlers & { readonly events: string[]; lease: ReplicationLease | undefined } => {
    const handlers = {
      events: [] as string[],
      lease: undefined as ReplicationLease | undefined,
      acquired: async (lease: ReplicationLease) => {
        handlers.lease = lease;
        handlers.events.push(`acquired ${lease.name}`);
      },
      given: async (name: string) => void handlers.events.push(`given ${name}, ${handlers.lease!.held}`),
      report: (name: string, error: unknown) => void handlers.events.push(`${name}: ${String(error)}`),
    };
    return handlers;
  };

  it('are held from when they are pursued until they were given back', async () => {
    const handlers = recording();
    const leases = new HeldLeases(handlers);
    leases.pursue('1');
    leases.pursue('1');
    expect([...leases.pursued]).toEqual(['1']);
    await Promise.all([leases.abandon('1'), leases.abandon('1'), leases.abandon('2')]);
    expect(handlers.events).toEqual(['acquired 1', 'given 1, true']);
    expect(handlers.lease!.held).toBe(false);
    expect(leases.pursued.size).toBe(0);
  });

  it('are all given back at the end, after what they are for has begun', async () => {
    const handlers = recording();
    const begun = Promise.withResolvers<void>();
    const leases = new HeldLeases({
      ...handlers,
      acquired: (lease) => begun.promise.then(() => handlers.acquired(lease)),
    });
    leases.pursue('1');
    const stopped = leases.stop();
    begun.resolve();
    await stopped;
    expect(handlers.events).toEqual(['acquired 1', 'given 1, true']);
  });

  it('report work that could not begin', async () => {
    const handlers = recording();
    const leases = new HeldLeases({
      ...handlers,
      given: async () => {},
      acquired: () => Promise.reject(new Error('no')),
    });
    leases.pursue('1');
    await leases.stop();
    expect(handlers.events).toEqual(['1: Error: no']);
  });
});
