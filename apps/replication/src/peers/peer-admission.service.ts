import type { IncomingMessage } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { AccessPolicy, OriginPolicy } from '@edgesync/access';
import type { EdgeConfig } from '@edgesync/config';
import type { CollectionName } from '@edgesync/document';
import { EdgeError } from '@edgesync/errors';
import { databaseOfSyncTarget, EDGE_CONFIG, requestedHost, STORAGE } from '@edgesync/platform';
import type { DatabaseInfo, Storage } from '@edgesync/ports';
import { checkConnection, isVisible, type SyncPolicy } from '@edgesync/sync-policy';
import { chooseVersion, parseSubprotocols, type ProtocolVersion } from '@edgesync/sync-protocol';
import { PeerIdentity, type Peer } from './peer-identity.js';

/** Facts about an app that may connect. */
export interface Admission extends Peer {
  readonly database: DatabaseInfo;
  readonly policy: SyncPolicy;
  readonly version: ProtocolVersion;
}

/** Decides about upgrade requests before they are answered (docs/protocol/connection.md#credentials). */
@Injectable()
export class PeerAdmission {
  private readonly origins: OriginPolicy;

  constructor(
    @Inject(EDGE_CONFIG) private readonly config: EdgeConfig,
    @Inject(PeerIdentity) private readonly identity: PeerIdentity,
    @Inject(STORAGE) private readonly storage: Storage,
    @Inject(AccessPolicy) private readonly access: AccessPolicy,
  ) {
    this.origins = new OriginPolicy(config.cors?.origin ?? []);
  }

  /**
   * @throws EdgeError `auth.*`, `access.denied` (also for a foreign origin), `keyspace.*`, `sync.disabled`,
   * `request.subprotocol`, `storage.*`
   */
  async admit(request: IncomingMessage): Promise<Admission> {
    const { headers, url } = request;
    const name = databaseOfSyncTarget(url);
    const offer = parseSubprotocols(headers['sec-websocket-protocol']);
    const peer = await this.identity.identify(request, name);
    const { principal } = peer;
    // Browsers do not ask before they open a WebSocket, so the list of origins is checked here
    // (docs/protocol/edge-server.md#cors).
    if (!this.origins.admitsWebSocket(headers.origin, requestedHost(request)))
      throw new EdgeError('access.denied', 'the origin is not allowed');
    // A user who may not read anything under the name does not learn whether it exists
    // (docs/protocol/edge-server.md#what-a-request-needs).
    if (!this.access.mayReadSome(principal, name)) throw new EdgeError('access.denied');
    const config = this.config.databases.get(name);
    if (!config) throw new EdgeError('keyspace.unknown', `no database "${name}"`);
    const policy: SyncPolicy = {
      mode: config.enableClientSync,
      rightsOn: (keyspace) => this.access.rightsOn(principal, keyspace),
    };
    checkConnection(policy);
    const database = await this.storage.describe(name);
    this.checkSomeAccess(policy, database);
    const version = chooseVersion(offer.tokens);
    if (version === undefined) throw new EdgeError('request.subprotocol');
    return { ...peer, database, policy, version };
  }

  /**
   * Refuses a user whose rules let them read collections of the database, but none that there is
   * (docs/protocol/edge-server.md#rights-in-sync).
   */
  private checkSomeAccess(policy: SyncPolicy, { name, collections }: DatabaseInfo): void {
    const readable = ({ scope, collection }: CollectionName): boolean =>
      isVisible(policy, { database: name, scope, collection });
    if (!collections.some(readable)) throw new EdgeError('access.denied');
  }
}
