import type { IncomingMessage } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import type { Principal } from '@edgesync/access';
import type { EdgeConfig } from '@edgesync/config';
import { EdgeError } from '@edgesync/errors';
import { AUTHENTICATOR, EDGE_CONFIG, STORAGE, type Authenticator } from '@edgesync/platform';
import type { DatabaseInfo, Storage } from '@edgesync/ports';
import { checkConnection, type SyncPolicy } from '@edgesync/sync-policy';
import { chooseVersion, parseSubprotocols, type ProtocolVersion } from '@edgesync/sync-protocol';
import { checkSomeAccess, peerPolicy } from './peer-policy.js';
import { databaseOfPath } from './upgrade-path.js';

/** What is known about an app that may connect. */
export interface Admission {
  readonly principal: Principal;
  readonly database: DatabaseInfo;
  readonly policy: SyncPolicy;
  readonly version: ProtocolVersion;
  /** `address:port` of the app. */
  readonly remote: string;
}

/** Decides about upgrade requests before they are answered (J.1-1). */
@Injectable()
export class PeerAdmission {
  constructor(
    @Inject(EDGE_CONFIG) private readonly config: EdgeConfig,
    @Inject(AUTHENTICATOR) private readonly authenticator: Authenticator,
    @Inject(STORAGE) private readonly storage: Storage,
  ) {}

  /**
   * @throws EdgeError `auth.*`, `access.denied` (also for a foreign origin), `keyspace.*`, `sync.disabled`,
   * `request.subprotocol`, `storage.*`
   */
  async admit(request: IncomingMessage): Promise<Admission> {
    const { headers, socket, url } = request;
    const name = databaseOfPath(url);
    const offer = parseSubprotocols(headers['sec-websocket-protocol']);
    // One-time sessions are not served, and must not be a way around the credentials they stand for.
    if (offer.session !== undefined && headers.authorization === undefined) throw new EdgeError('auth.required');
    const principal = await this.authenticator.authenticate(headers.authorization, socket.remoteAddress ?? '');
    this.checkOrigin(headers.origin);
    const config = this.config.databases.get(name);
    if (!config) throw new EdgeError('keyspace.unknown', `no database "${name}"`);
    const policy = peerPolicy(config, principal);
    checkConnection(policy);
    const database = await this.storage.describe(name);
    checkSomeAccess(policy, database);
    const version = chooseVersion(offer.tokens);
    if (version === undefined) throw new EdgeError('request.subprotocol');
    return { principal, database, policy, version, remote: `${socket.remoteAddress}:${socket.remotePort}` };
  }

  /** Browsers do not ask before they open a WebSocket, so the list of origins is checked here (ref 8). */
  private checkOrigin(origin: string | undefined): void {
    const allowed = this.config.cors?.origin;
    if (origin === undefined || !allowed || allowed.includes('*') || allowed.includes(origin)) return;
    throw new EdgeError('access.denied', 'the origin is not allowed');
  }
}
