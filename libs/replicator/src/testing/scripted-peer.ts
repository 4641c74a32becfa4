import {
  BlipConnection,
  type BlipReply,
  type CloseInfo,
  type IncomingRequest,
  type OutgoingBody,
  Properties,
  type Transport,
} from '@edgesync/blip';
import { REAL_TIME } from './real-time.js';

/** A client that a test drives: it sends any message, and keeps the server's for the test to look at. */
export class ScriptedPeer {
  readonly connection: BlipConnection;
  /** Everything the server asked, in order, as text. */
  readonly received: string[] = [];

  private readonly unclaimed: IncomingRequest[] = [];
  private readonly waiting: { readonly profile: string; readonly resolve: (request: IncomingRequest) => void }[] = [];
  private readonly automatic = new Map<string, (request: IncomingRequest) => void>();

  constructor(transport: Transport) {
    this.connection = new BlipConnection(transport, {
      scheduler: REAL_TIME,
      onRequest: (request) => this.handle(request),
    });
  }

  get closed(): Promise<CloseInfo> {
    return this.connection.closed;
  }

  /** Sends a request and waits for its reply. */
  ask(profile: string, properties: Record<string, string> = {}, body: unknown = ''): Promise<BlipReply> {
    return this.connection.request({ properties: propertiesOf(profile, properties), body: bytesOf(body) });
  }

  /** Sends a request that wants no reply. */
  notify(profile: string, properties: Record<string, string> = {}, body: unknown = ''): void {
    this.connection.notify({ properties: propertiesOf(profile, properties), body: bytesOf(body) });
  }

  /** The next request of the server with this profile that no test has seen. */
  next(profile: string): Promise<IncomingRequest> {
    const index = this.unclaimed.findIndex((request) => request.profile === profile);
    if (index >= 0) return Promise.resolve(this.unclaimed.splice(index, 1)[0]!);
    return new Promise((resolve) => this.waiting.push({ profile, resolve }));
  }

  /** Starts a session that addresses collections by index. */
  async openCollections(...collections: string[]): Promise<unknown> {
    const checkpoint_ids = collections.map((name) => `cp-${name}`);
    return jsonOf(await this.ask('getCollections', {}, { collections, checkpoint_ids }));
  }

  /** Requests of the server that no test has seen. */
  unseen(profile: string): readonly IncomingRequest[] {
    return this.unclaimed.filter((request) => request.profile === profile);
  }

  /** Answers every request with this profile from now on. */
  on(profile: string, handler: (request: IncomingRequest) => void): this {
    this.automatic.set(profile, handler);
    return this;
  }

  /** Resolves when all that was sent in either direction is answered and the server has nothing under way. */
  async settled(): Promise<void> {
    await this.connection.whenIdle();
    await this.ask('PING');
  }

  private handle(request: IncomingRequest): void {
    this.received.push(describe(request));
    const automatic = this.automatic.get(request.profile);
    if (automatic) return automatic(request);
    const index = this.waiting.findIndex(({ profile }) => profile === request.profile);
    if (index >= 0) this.waiting.splice(index, 1)[0]!.resolve(request);
    else this.unclaimed.push(request);
  }
}

/** A request in one line. */
export function describe({ profile, properties, noReply, body }: IncomingRequest): string {
  const { Profile: _, ...rest } = properties.toRecord();
  return `${profile}${noReply ? '!' : ''} ${JSON.stringify(rest)} ${textOf(body)}`;
}

export function textOf(body: Uint8Array): string {
  return new TextDecoder().decode(body);
}

export function jsonOf(message: { readonly body: Uint8Array }): unknown {
  return JSON.parse(textOf(message.body));
}

/** Sequence and document ID of every row of a list. */
export function rowsOf(request: IncomingRequest): readonly unknown[] {
  return (jsonOf(request) as unknown[][]).map(([sequence, id]) => [sequence, id]);
}

/** Answers a request with JSON. */
export function answer(request: IncomingRequest, body: unknown, properties: Record<string, string> = {}): void {
  request.respond({ properties: Properties.from(properties), body: new TextEncoder().encode(JSON.stringify(body)) });
}

/** Wants every row of a list that it lacks, as a client with an empty database does. */
export function wantAll(properties: Record<string, string> = { blobs: 'true' }): (request: IncomingRequest) => void {
  return (request) => {
    const rows = jsonOf(request) as unknown[];
    answer(
      request,
      rows.map(() => []),
      properties,
    );
  };
}

function propertiesOf(profile: string, properties: Record<string, string>): Properties {
  return Properties.from({ Profile: profile, ...properties });
}

function bytesOf(body: unknown): OutgoingBody {
  if (body instanceof Uint8Array) return body;
  return new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body));
}
