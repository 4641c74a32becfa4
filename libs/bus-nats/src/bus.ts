import { backOffMs, finishesWithin, retry } from '@edgesync/async';
import {
  connect,
  credsAuthenticator,
  errors,
  type ConnectionOptions,
  type NatsConnection,
  type Subscription,
} from '@nats-io/transport-node';
import { CONNECT_PAUSES, GOODBYE_MS, PAYLOAD_RESERVE } from './tuning.js';

/** How to reach NATS. */
export interface BusOptions {
  /** `nats://host:port` or `tls://host:port`, of one server or several of a cluster. */
  readonly servers: string | readonly string[];
  /** Shown in the server's list of connections. */
  readonly name: string;
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  /** Content of a credentials file. */
  readonly credentials?: string;
  /** Files in PEM. The server is verified against `ca`, or against the authorities the system trusts. */
  readonly tls?: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string };
  /** Receives the reason why connecting for the first time has to wait. */
  readonly report?: (error: unknown) => void;
  /** Ends that waiting. */
  readonly signal?: AbortSignal;
}

/** Pause between attempts to connect again, in milliseconds; up to twice as long. */
const RECONNECT_MS = 250;

/** One connection to NATS. It comes back by itself, for as long as the process lives. */
export class Bus {
  private readonly listeners = new Set<(connected: boolean) => void>();
  private up = true;

  private constructor(readonly connection: NatsConnection) {
    void this.follow();
  }

  /**
   * Connects; waits for a server that is not there yet.
   * @throws if the options are at fault: the server does not accept the credentials, a file cannot be read
   */
  static async connect(options: BusOptions): Promise<Bus> {
    const connectionOptions = toConnectionOptions(options);
    const { report, signal } = options;
    return retry(
      async () => {
        signal?.throwIfAborted();
        return new Bus(await connect(connectionOptions));
      },
      {
        isWorthwhile: (error) => {
          const isAway = error instanceof errors.ConnectionError || error instanceof errors.TimeoutError;
          if (isAway) report?.(error);
          return isAway;
        },
        pauseMs: (failures) => backOffMs(failures, CONNECT_PAUSES),
        ...(signal && { signal }),
      },
    );
  }

  get connected(): boolean {
    return this.up && !this.connection.isClosed();
  }

  /** Most bytes of one message. */
  get maxMessage(): number {
    return (this.connection.info?.max_payload ?? 1_048_576) - PAYLOAD_RESERVE;
  }

  /** Sends a message; while the connection is lost it waits. Nothing is sent any more once the connection is closed. */
  publish(subject: string, message: Uint8Array, replyTo?: string): void {
    if (this.connection.isClosed()) return;
    this.connection.publish(subject, message, replyTo === undefined ? undefined : { reply: replyTo });
  }

  /** Calls `listener` when the connection is lost or back, until the returned function is called. */
  onChange(listener: (connected: boolean) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Resolves when NATS has what was sent; or when it does not say so, because it is away or hangs. */
  async flush(): Promise<void> {
    if (this.connected) await giveTime(this.connection.flush());
  }

  /** Ends a subscription; what NATS has sent for it is still delivered, unless NATS is away or hangs. */
  async drain(subscription: Subscription): Promise<void> {
    if (this.connected) await giveTime(subscription.drain());
    else if (!this.connection.isClosed()) subscription.unsubscribe();
  }

  /** Sends what is queued, unless NATS is away or hangs, then closes. */
  async close(): Promise<void> {
    if (this.connected) await giveTime(this.connection.drain());
    if (!this.connection.isClosed()) await this.connection.close();
  }

  private async follow(): Promise<void> {
    for await (const status of this.connection.status()) {
      if (status.type === 'disconnect' || status.type === 'reconnect') this.notify(status.type === 'reconnect');
    }
    this.notify(false);
  }

  private notify(up: boolean): void {
    if (up === this.up) return;
    this.up = up;
    for (const listener of [...this.listeners]) listener(up);
  }
}

/** Whether a server refused the credentials that it was given, or that none were given. */
export function isRefusal(error: unknown): boolean {
  return error instanceof errors.AuthorizationError || error instanceof errors.UserAuthenticationExpiredError;
}

/** Waits until something has come to an end, but no longer than a process that stops can. */
async function giveTime(work: Promise<unknown>): Promise<void> {
  await finishesWithin(GOODBYE_MS, work).catch(() => undefined);
}

function toConnectionOptions({
  servers,
  name,
  user,
  password,
  token,
  credentials,
  tls,
}: BusOptions): ConnectionOptions {
  return {
    servers: typeof servers === 'string' ? servers : [...servers],
    name,
    ...(user !== undefined && { user }),
    ...(password !== undefined && { pass: password }),
    ...(token !== undefined && { token }),
    ...(credentials !== undefined && { authenticator: credsAuthenticator(new TextEncoder().encode(credentials)) }),
    ...(tls && { tls: tls }),
    maxReconnectAttempts: -1,
    // Credentials may be fixed while the process runs.
    ignoreAuthErrorAbort: true,
    reconnectTimeWait: RECONNECT_MS,
    reconnectJitter: RECONNECT_MS,
    // A peer that vanished without a word is noticed after two of these.
    pingInterval: 5_000,
    maxPingOut: 2,
    timeout: 5_000,
  };
}
