import { describe, expect, it } from 'vitest';
import { isEdgeError } from '@edgesync/errors';
import { checkConnection, checkDirection, isVisible, type Direction, type SyncMode } from './index.js';

const keyspace = { database: 'db', scope: '_default', collection: '_default' };

function outcome(mode: SyncMode, direction: Direction, rights = { read: true, write: true }): string {
  try {
    checkDirection({ mode, rightsOn: () => rights }, direction, keyspace);
    return 'allowed';
  } catch (error) {
    return isEdgeError(error) ? error.code : String(error);
  }
}

describe('the sync policy', () => {
  it.each([
    ['none', 'sync.disabled', 'sync.disabled', 'sync.disabled'],
    ['pull', 'allowed', 'sync.pull-only', 'allowed'],
    ['push', 'sync.push-only', 'allowed', 'allowed'],
    ['bidirectional', 'allowed', 'allowed', 'allowed'],
  ] as const)('with enable_client_sync %s: pull %s, push %s, both %s', (mode, pull, push, either) => {
    expect([outcome(mode, 'pull'), outcome(mode, 'push'), outcome(mode, 'either')]).toEqual([pull, push, either]);
  });

  it.each([
    [{ read: true, write: false }, 'allowed', 'sync.pull-only'],
    [{ read: false, write: true }, 'sync.push-only', 'sync.pull-only'],
    [{ read: false, write: false }, 'sync.push-only', 'sync.pull-only'],
  ])('with rights %j: pull %s, push %s', (rights, pull, push) => {
    expect([outcome('bidirectional', 'pull', rights), outcome('bidirectional', 'push', rights)]).toEqual([pull, push]);
  });

  it('names the closed direction in the exact words that apps know', () => {
    expect(() => checkDirection({ mode: 'pull' }, 'push', keyspace)).toThrow(
      'Attempting to push to a pull-only replicator',
    );
    expect(() => checkDirection({ mode: 'push' }, 'pull', keyspace)).toThrow(
      'Attempting to pull from a push-only replicator',
    );
  });

  it('refuses the connection only if sync is disabled', () => {
    expect(() => checkConnection({ mode: 'none' })).toThrow('sync is disabled');
    expect(() => checkConnection({ mode: 'push' })).not.toThrow();
  });

  it('hides a collection that the user cannot read', () => {
    expect(isVisible({ mode: 'bidirectional', rightsOn: () => ({ read: false, write: true }) }, keyspace)).toBe(false);
    expect(isVisible({ mode: 'bidirectional' }, keyspace)).toBe(true);
  });
});
