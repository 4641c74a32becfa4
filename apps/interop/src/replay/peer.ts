import { systemScheduler } from '@edgesync/async';
import { BlipConnection, type BlipReply, type IncomingRequest, Properties } from '@edgesync/blip';
import { dial } from '@edgesync/socket-ws';

/** A connection to a running server, driven message by message. */
export class Peer {
  readonly connection: BlipConnection;
  /** Requests of the server, in order of arrival. */
  readonly requests: IncomingRequest[] = [];
  /** Set to answer requests as they come. */
  onRequest: ((request: IncomingRequest) => void) | undefined;

  private changed: (() => void)[] = [];

  private constructor(transport: Awaited<ReturnType<typeof dial>>) {
    this.connection = new BlipConnection(transport, {
      scheduler: systemScheduler,
      onRequest: (request) => {
        this.requests.push(request);
        this.onRequest?.(request);
        for (const notify of this.changed.splice(0)) notify();
      },
    });
    this.protocol = transport.protocol;
  }

  readonly protocol: string;

  static async connect(url: string, protocols: readonly string[]): Promise<Peer> {
    return new Peer(await dial(url, { protocols }));
  }

  ask(profile: string, properties: Record<string, string>, body: string | Uint8Array = ''): Promise<BlipReply> {
    return this.connection.request({
      properties: Properties.from({ Profile: profile, ...properties }),
      body: typeof body === 'string' ? new TextEncoder().encode(body) : body,
    });
  }

  /** Waits until the server has sent what is looked for. @throws when it does not come */
  async until<Found>(what: string, find: () => Found | undefined, timeoutMs = 5_000): Promise<Found> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`the server does not send ${what}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.changed.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }
}
