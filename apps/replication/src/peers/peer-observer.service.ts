import { Inject, Injectable } from '@nestjs/common';
import { AUDIT_LOG, METRICS, type AuditLog, type Metrics } from '@edgesync/platform';
import { subprotocolOf } from '@edgesync/sync-protocol';
import type { Admission } from './peer-admission.service.js';

/** Amounts in each direction. */
export interface TwoWays {
  readonly sent: number;
  readonly received: number;
}

/** A session as it is while it lasts. */
export interface ObservedPeer {
  readonly id: number;
  readonly admission: Admission;
  readonly revisions: () => TwoWays;
  readonly bytes: () => TwoWays;
}

const NOTHING: TwoWays = { sent: 0, received: 0 };

/** Enters sessions in the audit log, and sums up what they carry whenever metrics are read. */
@Injectable()
export class PeerObserver {
  private readonly open = new Set<ObservedPeer>();
  private readonly endedRevisions = new Map<string, TwoWays>();
  private readonly endedBytes = new Map<string, TwoWays>();

  constructor(
    @Inject(AUDIT_LOG) private readonly audit: AuditLog,
    @Inject(METRICS) private readonly metrics: Metrics,
  ) {
    metrics.sync.watchTraffic({
      revisions: () => series(this.endedRevisions, this.open, (peer) => peer.revisions()),
      bytes: () => series(this.endedBytes, this.open, (peer) => peer.bytes()),
    });
  }

  /** @returns to be called with the close code when the session ends */
  begin(peer: ObservedPeer): (code: number) => void {
    const { id } = peer;
    const { database, principal, remote, version } = peer.admission;
    const began = performance.now();
    const actor = { user: principal.name, remote };
    const protocol = subprotocolOf(version);
    const { sync } = this.metrics;
    this.open.add(peer);
    sync.sessions.with(database.name).inc();
    sync.sessionsOpened.with(database.name, protocol).inc();
    this.audit.replicationClientConnected(actor, database.name, { id, protocol });
    return (code) => {
      this.open.delete(peer);
      sync.sessions.with(database.name).dec();
      add(this.endedRevisions, database.name, peer.revisions());
      add(this.endedBytes, database.name, peer.bytes());
      const seconds = Math.round(performance.now() - began) / 1_000;
      this.audit.replicationClientDisconnected(actor, database.name, { id, code, seconds });
    };
  }
}

function add(sums: Map<string, TwoWays>, database: string, more: TwoWays): void {
  const { sent, received } = sums.get(database) ?? NOTHING;
  sums.set(database, { sent: sent + more.sent, received: received + more.received });
}

/** The sums with those of open sessions, as values with database and direction. */
function series(
  ended: ReadonlyMap<string, TwoWays>,
  open: Iterable<ObservedPeer>,
  read: (peer: ObservedPeer) => TwoWays,
): [value: number, database: string, direction: string][] {
  const sums = new Map(ended);
  for (const peer of open) add(sums, peer.admission.database.name, read(peer));
  return [...sums].flatMap(([database, { sent, received }]): [number, string, string][] => [
    [sent, database, 'sent'],
    [received, database, 'received'],
  ]);
}
