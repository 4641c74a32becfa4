import type { INestApplication } from '@nestjs/common';
import { AUDIT_LOG, LOGGERS, type AuditLog, type Loggers } from '@edgesync/platform';
import { BlipWsAdapter } from './blip-ws.adapter.js';
import { PeerAdmission } from './peer-admission.service.js';
import { PeerServer } from './peer-server.js';
import { PeerSessions } from './peer-sessions.service.js';

/**
 * Lets the HTTP server of an application that imports `ReplicationModule` take sync connections. To be called before
 * `listen`. The returned server's `upgrade` is a plain `(request, socket, head)` function, for whoever receives
 * upgrades by another way.
 */
export function mountPeers(app: INestApplication): PeerServer {
  const admission = app.get(PeerAdmission);
  const sessions = app.get(PeerSessions);
  const log = app.get<Loggers>(LOGGERS).domain('Sync');
  const audit = app.get<AuditLog>(AUDIT_LOG);
  const peers = new PeerServer(
    (request) => {
      sessions.checkRoom();
      return admission.admit(request);
    },
    (error) => log.warning('upgrade failed', error),
    () => audit.written(),
  );
  app.useWebSocketAdapter(new BlipWsAdapter(app, peers));
  return peers;
}
