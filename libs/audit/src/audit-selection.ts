import type { AuditConfig } from '@edgesync/config';
import { AUDIT_EVENTS } from './audit-events.js';

const ALL = Object.values(AUDIT_EVENTS);

/**
 * The numbers of the events to record (docs/protocol/edge-server.md#audit-log): those on by default, without those of
 * `disable`, and then with those of `enable`.
 */
export function selectEvents({ enable, disable }: Pick<AuditConfig, 'enable' | 'disable'>): ReadonlySet<number> {
  const names = (list: AuditConfig['enable'], id: number): boolean => list === '*' || (list?.includes(id) ?? false);
  const selected = ALL.filter(({ id, byDefault }) => (byDefault && !names(disable, id)) || names(enable, id));
  return new Set(selected.map(({ id }) => id));
}

/** Numbers in the configuration that are no event's. */
export function unknownEvents({ enable, disable }: Pick<AuditConfig, 'enable' | 'disable'>): readonly number[] {
  const known = new Set<number>(ALL.map(({ id }) => id));
  const listed = [enable, disable].flatMap((list) => (list === undefined || list === '*' ? [] : list));
  return [...new Set(listed)].filter((id) => !known.has(id));
}
