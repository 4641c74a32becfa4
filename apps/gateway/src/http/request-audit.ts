import { Inject, Injectable } from '@nestjs/common';
import { AUDIT_LOG, type AuditActor, type AuditLog } from '@edgesync/platform';
import type { GatewayRequest } from './gateway-request.js';

/** The outcome for a document. */
export type DocumentChange = 'created' | 'updated' | 'deleted';

/** The sender of a request, for the audit log. */
export function actorOf({ principal, raw }: GatewayRequest): AuditActor {
  const { remoteAddress = '?', remotePort = 0 } = raw.socket;
  const address = remoteAddress.includes(':') ? `[${remoteAddress}]` : remoteAddress;
  // A request that was refused for its credentials has no principal.
  const user = (principal as GatewayRequest['principal'] | null)?.name;
  return { user, remote: `${address}:${remotePort}` };
}

/** Enters what requests did in the audit log. Each costs next to nothing unless its event is selected. */
@Injectable()
export class RequestAudit {
  constructor(@Inject(AUDIT_LOG) private readonly audit: AuditLog) {}

  /** See {@link AuditLog.written}: for replies that leave before they are complete. */
  written(): Promise<void> | undefined {
    return this.audit.written();
  }

  databasesRead(request: GatewayRequest): void {
    if (this.audit.records('databasesRead')) this.audit.databasesRead(actorOf(request));
  }

  keyspaceRead(request: GatewayRequest, keyspace: GatewayRequest['keyspace']): void {
    if (this.audit.records('databaseRead')) this.audit.databaseRead(actorOf(request), keyspace);
  }

  /** A document or a part of it was read; with HEAD, only its metadata. */
  documentRead(request: GatewayRequest, id: string): void {
    const event = request.raw.method === 'HEAD' ? 'documentMetadataRead' : 'documentRead';
    if (this.audit.records(event)) this.audit[event](actorOf(request), request.keyspace, id);
  }

  documentWritten(request: GatewayRequest, change: DocumentChange, id: string, rev: string): void {
    const event = EVENTS[change];
    if (this.audit.records(event)) this.audit[event](actorOf(request), request.keyspace, id, rev);
  }
}

const EVENTS = { created: 'documentCreated', updated: 'documentUpdated', deleted: 'documentDeleted' } as const;
