import { formatCollection, isDefaultCollection, type Keyspace } from '@edgesync/document';
import type { LogOutput } from '@edgesync/logging';
import { redact } from '@edgesync/logging';
import { AUDIT_EVENTS, type AuditEventName } from './audit-events.js';

/** The user who did it. */
export interface AuditActor {
  /** The user's name. Absent: an anonymous user. */
  readonly user?: string | undefined;
  /** Where the request came from: `address:port`, or the address alone. */
  readonly remote: string;
}

export interface AuditOutput extends Pick<LogOutput, 'line'> {
  /** Resolves when every line taken so far is in the file, or cannot be written for now; undefined if that is so already. */
  written(gathered?: 'turn' | 'callback'): Promise<void> | undefined;
}

export interface AuditLogOptions {
  readonly output: AuditOutput;
  /** Numbers of the events to record. */
  readonly selected: ReadonlySet<number>;
  readonly omitDescription: boolean;
  /** Wall-clock milliseconds. */
  readonly now: () => number;
}

type Fields = Readonly<Record<string, unknown>>;

/** The parts of a line that are the same for every event of a kind: before and after the time. */
type Frame = readonly [head: string, tail: string];

/**
 * The audit log (docs/protocol/edge-server.md#audit-log): who did what, one JSON object a line. There is one function
 * for each kind of event; it does nothing if the event is not selected. Fields hold names and outcomes, never bodies or
 * credentials.
 */
export class AuditLog {
  /** Whether any event is recorded. */
  readonly isOn: boolean;
  private readonly frames: Partial<Record<AuditEventName, Frame>> = {};

  constructor(private readonly options: AuditLogOptions) {
    for (const [key, { id, name, description }] of Object.entries(AUDIT_EVENTS)) {
      if (!options.selected.has(id)) continue;
      const rest = options.omitDescription ? { name } : { name, description };
      this.frames[key as AuditEventName] = [`{"id":${id},"timestamp":"`, `",${JSON.stringify(rest).slice(1, -1)}`];
    }
    this.isOn = Object.keys(this.frames).length > 0;
  }

  /** An audit log that records nothing. */
  static none(): AuditLog {
    const output = { line: () => {}, written: () => undefined };
    return new AuditLog({ output, selected: new Set(), omitDescription: true, now: () => 0 });
  }

  /**
   * To be awaited before a reply leaves: resolves when the events recorded so far are in the file (not synced), or cannot be
   * written for now; undefined if that is so already.
   * @param gathered whether the events of this whole turn of the event loop go into one write, or, for replies that must not
   * be held for as long as that, those of the callback that is running
   */
  written(gathered?: 'turn' | 'callback'): Promise<void> | undefined {
    return this.options.output.written(gathered);
  }

  /** Whether an event is recorded: ask where composing it costs something. */
  records(event: AuditEventName): boolean {
    return this.frames[event] !== undefined;
  }

  serverStarted(fields: {
    readonly version: string;
    readonly interface: string;
    readonly databases: readonly string[];
  }): void {
    this.record('serverStarted', fields);
  }

  serverStopped(): void {
    this.record('serverStopped', {});
  }

  /**
   * @param request `url` is path and query as received
   */
  httpRequest(
    actor: AuditActor,
    request: {
      readonly method: string;
      readonly url: string;
      readonly status: number;
      readonly elapsedMilliseconds: number;
    },
  ): void {
    if (!this.records('httpRequest')) return;
    const { method, url, status, elapsedMilliseconds } = request;
    const elapsed = Math.round(elapsedMilliseconds * 100) / 100;
    this.record('httpRequest', { ...whoIs(actor), method, uri: redact(url), status, elapsed_ms: elapsed });
  }

  authenticated(actor: AuditActor): void {
    this.record('authenticated', whoIs(actor));
  }

  /**
   * @param actor `user` is the name that was claimed, if any was
   * @param status the HTTP status of the refusal
   */
  authenticationFailed(actor: AuditActor, status: number): void {
    this.record('authenticationFailed', { ...whoIs(actor), status });
  }

  databaseRead(actor: AuditActor, keyspace: Keyspace): void {
    this.record('databaseRead', { ...whoIs(actor), ...where(keyspace) });
  }

  databasesRead(actor: AuditActor): void {
    this.record('databasesRead', whoIs(actor));
  }

  /**
   * @param feed its number is the same in the event of its end; `mode` is `normal`, `longpoll`, `continuous` or `sse`
   */
  changesFeedStarted(
    actor: AuditActor,
    keyspace: Keyspace,
    feed: { readonly id: number; readonly mode: string },
  ): void {
    this.record('changesFeedStarted', { ...whoIs(actor), ...where(keyspace), feed_id: feed.id, feed: feed.mode });
  }

  /** @param feed `changes`: how many were sent */
  changesFeedEnded(
    actor: AuditActor,
    keyspace: Keyspace,
    feed: { readonly id: number; readonly mode: string; readonly changes?: number; readonly seconds: number },
  ): void {
    this.record('changesFeedEnded', {
      ...whoIs(actor),
      ...where(keyspace),
      feed_id: feed.id,
      feed: feed.mode,
      changes: feed.changes,
      seconds: feed.seconds,
    });
  }

  /** @param query `name` is absent for an ad hoc query; `status` is that of the reply */
  queried(
    actor: AuditActor,
    keyspace: Keyspace,
    query: { readonly name?: string; readonly live?: boolean; readonly status: number },
  ): void {
    if (!this.records('query')) return;
    const { name, live, status } = query;
    this.record('query', {
      ...whoIs(actor),
      ...where(keyspace),
      query: name,
      adhoc: name === undefined,
      live: live || undefined,
      status,
    });
  }

  /** @param session its number is the same in the event of its end; `protocol` is the WebSocket sub-protocol */
  replicationClientConnected(
    actor: AuditActor,
    database: string,
    session: { readonly id: number; readonly protocol: string },
  ): void {
    this.record('replicationClientConnected', {
      ...whoIs(actor),
      db: database,
      session_id: session.id,
      protocol: session.protocol,
    });
  }

  /** @param session `code` is the close code of the WebSocket */
  replicationClientDisconnected(
    actor: AuditActor,
    database: string,
    session: { readonly id: number; readonly code?: number; readonly seconds: number },
  ): void {
    this.record('replicationClientDisconnected', {
      ...whoIs(actor),
      db: database,
      session_id: session.id,
      code: session.code,
      seconds: session.seconds,
    });
  }

  /** @param replication its number is the same in the events of its conflicts and its end */
  replicationStarted(
    database: string,
    replication: {
      readonly id: number;
      readonly source: string;
      readonly target: string;
      readonly continuous: boolean;
      readonly bidirectional: boolean;
    },
  ): void {
    const { id, ...rest } = replication;
    this.record('replicationStarted', { db: database, task_id: id, ...rest });
  }

  /** @param replication `error`, `domain` and `code` if it failed (ref Appendix A) */
  replicationStopped(
    database: string,
    replication: {
      readonly id: number;
      readonly source: string;
      readonly target: string;
      readonly error?: string;
      readonly domain?: number;
      readonly code?: number;
    },
  ): void {
    const { id, source, target, error, domain, code } = replication;
    this.record('replicationStopped', {
      db: database,
      task_id: id,
      source,
      target,
      error: error === undefined ? undefined : redact(error),
      domain,
      code,
    });
  }

  /** @param conflict `winner`: whose content was kept, that of this server (`local`) or of the other one (`remote`) */
  replicationConflict(
    keyspace: Keyspace,
    conflict: {
      readonly id: number;
      readonly source: string;
      readonly target: string;
      readonly docId: string;
      readonly winner: 'local' | 'remote';
    },
  ): void {
    const { id, source, target, docId, winner } = conflict;
    this.record('replicationConflict', { ...where(keyspace), task_id: id, source, target, doc_id: docId, winner });
  }

  documentCreated(actor: AuditActor, keyspace: Keyspace, id: string, rev: string): void {
    this.record('documentCreated', { ...whoIs(actor), ...where(keyspace), doc_id: id, rev });
  }

  documentRead(actor: AuditActor, keyspace: Keyspace, id: string): void {
    this.record('documentRead', { ...whoIs(actor), ...where(keyspace), doc_id: id });
  }

  documentUpdated(actor: AuditActor, keyspace: Keyspace, id: string, rev: string): void {
    this.record('documentUpdated', { ...whoIs(actor), ...where(keyspace), doc_id: id, rev });
  }

  documentDeleted(actor: AuditActor, keyspace: Keyspace, id: string, rev: string): void {
    this.record('documentDeleted', { ...whoIs(actor), ...where(keyspace), doc_id: id, rev });
  }

  documentMetadataRead(actor: AuditActor, keyspace: Keyspace, id: string): void {
    this.record('documentMetadataRead', { ...whoIs(actor), ...where(keyspace), doc_id: id });
  }

  /** @param name of the named query. Absent: an ad hoc one, whose text is a body and not recorded. */
  query(actor: AuditActor, keyspace: Keyspace, name: string | undefined, status: number): void {
    this.record('query', { ...whoIs(actor), ...where(keyspace), query: name, adhoc: name === undefined, status });
  }

  private record(event: AuditEventName, fields: Fields): void {
    const frame = this.frames[event];
    if (!frame) return;
    const time = new Date(this.options.now()).toISOString();
    const rest = JSON.stringify(fields).slice(1);
    this.options.output.line(`${frame[0]}${time}${frame[1]}${rest === '}' ? '' : ','}${rest}`);
  }
}

const whoIs = ({ user, remote }: AuditActor): Fields => ({ user, remote });

/** Database and keyspace, the latter as a URL names it. */
function where(keyspace: Keyspace): Fields {
  const { database } = keyspace;
  return { db: database, ks: isDefaultCollection(keyspace) ? database : `${database}.${formatCollection(keyspace)}` };
}
