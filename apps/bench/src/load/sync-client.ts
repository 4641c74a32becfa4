import { systemScheduler } from '@edgesync/async';
import { BlipConnection, type IncomingRequest, Properties } from '@edgesync/blip';
import { dial } from '@edgesync/socket-ws';

// A client without a database: it costs little, so that the server is what is measured.

const SOURCE = 'H0J8SAyCSjSjE+PxM4NQrQ';
const BATCH = 200;
/** Revisions proposed or sent and not answered; more are proposed below the second figure. */
const MOST_IN_FLIGHT = 600;
const FEW_IN_FLIGHT = 400;

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const decode = (request: IncomingRequest): unknown => JSON.parse(new TextDecoder().decode(request.body));

async function connect(port: number, onRequest: (request: IncomingRequest) => void): Promise<BlipConnection> {
  const transport = await dial(`ws://127.0.0.1:${port}/db/_blipsync`, { protocols: ['BLIP_3+CBMobile_4'] });
  const connection = new BlipConnection(transport, { scheduler: systemScheduler, onRequest, compression: 'never' });
  const properties = Properties.of('Profile', 'getCollections');
  await connection.request({ properties, body: encode({ collections: ['_default'], checkpoint_ids: ['cp'] }) });
  return connection;
}

/** Pushes new documents named `prefix-n`. Resolves when all are acknowledged. */
export async function push(port: number, prefix: string, bodies: readonly Uint8Array[]): Promise<void> {
  const connection = await connect(port, () => {});
  const start = BigInt(Date.now() - 60_000) * 1_000_000n;
  let next = 0;
  let inFlight = 0;
  let acknowledged = 0;
  await new Promise<void>((resolve, reject) => {
    const sendRev = (id: string, rev: string, body: Uint8Array): void => {
      const properties = Properties.of('Profile', 'rev', 'collection', '0', 'id', id, 'rev', rev, 'noconflicts', '1');
      connection.send({ properties, body }, (reply) => {
        if (!reply || reply.error) return reject(new Error(reply?.error?.message ?? 'cut off'));
        inFlight--;
        if (++acknowledged === bodies.length) resolve();
        else if (inFlight <= FEW_IN_FLIGHT) propose();
      });
    };
    const propose = (): void => {
      while (next < bodies.length && inFlight < MOST_IN_FLIGHT) {
        const from = next;
        next = Math.min(next + BATCH, bodies.length);
        inFlight += next - from;
        const rows = Array.from({ length: next - from }, (_, index) => [
          `${prefix}-${from + index}`,
          `${(start + BigInt(from + index) * 65_536n).toString(16)}@${SOURCE}`,
          '',
          900,
        ]) as [string, string, string, number][];
        const properties = Properties.of('Profile', 'proposeChanges', 'collection', '0', 'conflictIncludesRev', 'true');
        connection.send({ properties, body: encode(rows), urgent: true }, (reply) => {
          if (!reply || reply.error) return reject(new Error(reply?.error?.message ?? 'cut off'));
          for (const [index, [id, rev]] of rows.entries()) sendRev(id, rev, bodies[from + index]!);
        });
      }
    };
    propose();
  });
  await connection.close();
}

/** A connected puller that wants everything it is offered. */
export class PullingClient {
  /** Revisions received. */
  received = 0;
  /** Called with every revision. */
  onRev: (() => void) | undefined;

  private announced = 0;
  private hasCaughtUp = false;
  private notify: () => void = () => {};
  private connection!: BlipConnection;

  static async connect(port: number, options: { since?: number; continuous?: boolean } = {}): Promise<PullingClient> {
    const client = new PullingClient();
    client.connection = await connect(port, (request) => client.handle(request));
    const properties = Properties.from({
      Profile: 'subChanges',
      collection: '0',
      batch: '200',
      since: options.since === undefined ? undefined : String(options.since),
      continuous: options.continuous ? 'true' : undefined,
    });
    await client.connection.request({ properties });
    return client;
  }

  /** Resolves when it is caught up and has all that it was offered. */
  async finished(): Promise<void> {
    while (!this.hasCaughtUp || this.received < this.announced)
      await new Promise<void>((resolve) => (this.notify = resolve));
  }

  async close(): Promise<void> {
    await this.connection.close();
  }

  private handle(request: IncomingRequest): void {
    if (request.profile === 'changes') {
      const rows = decode(request) as unknown[];
      if (rows.length === 0) this.hasCaughtUp = true;
      else {
        this.announced += rows.length;
        request.respond({ properties: Properties.of('blobs', 'true'), body: encode(rows.map(() => [])) });
      }
    } else if (request.profile === 'rev') {
      this.received++;
      if (!request.noReply) request.respond();
      this.onRev?.();
    }
    if (this.hasCaughtUp && this.received === this.announced) this.notify();
  }
}
