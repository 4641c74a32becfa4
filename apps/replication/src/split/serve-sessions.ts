import { type Bus, SessionServer } from '@edgesync/bus-nats';
import type { PeerInfo, PeerSessions } from '../peers/peer-sessions.service.js';

/**
 * Does what gateways ask about the sessions of their apps, until it is closed.
 * @param worker ID under which this worker announces itself
 * @param report receives errors about messages that make no sense
 */
export function serveSessions(
  bus: Bus,
  worker: string,
  sessions: PeerSessions,
  report?: (error: unknown) => void,
): SessionServer {
  const find = (session: string): PeerInfo | undefined => sessions.list().find(({ relayed }) => relayed === session);
  return new SessionServer(
    bus,
    worker,
    {
      end: (session, why) => {
        const info = find(session);
        if (!info) return;
        if (why === 'user-changed') sessions.userChanged(info.id);
        else sessions.drain(info.id);
      },
      traffic: (names) => {
        const wanted = new Set(names);
        return sessions
          .list()
          .flatMap(({ relayed, traffic }) =>
            relayed !== undefined && wanted.has(relayed) ? [[relayed, traffic.sent, traffic.received] as const] : [],
          );
      },
    },
    report,
  );
}
