import { startNatsServer, type NatsServer } from '@edgesync/test-kit';

/** Accounts of one server: deployments that a test file starts one after the other or side by side. */
const ACCOUNTS = 200;

let server: Promise<NatsServer> | undefined;
let taken = 0;

/** How to reach a NATS of one's own. */
export interface NatsAccount {
  readonly servers: string;
  readonly user: string;
  readonly password: string;
}

/**
 * An account that nobody else has, of a NATS server that all deployments of this test file share: accounts receive
 * nothing of each other, and each has its own key-value buckets.
 */
export async function takeNatsAccount(): Promise<NatsAccount> {
  server ??= startNatsServer({ config: `accounts { ${Array.from({ length: ACCOUNTS }, accountOf).join('\n')} }` });
  const { url } = await server;
  if (taken === ACCOUNTS) throw new Error(`a test file starts at most ${ACCOUNTS} deployments`);
  const name = nameOf(taken++);
  return { servers: url, user: name, password: name };
}

/** Stops the server as a debugger would: nobody notices at once, and nobody is answered. @returns lets it go on */
export async function pauseNatsServer(): Promise<() => void> {
  const paused = await server;
  paused?.pause();
  return () => paused?.resume();
}

/** Ends the server, if one was started. */
export async function endNatsServer(): Promise<void> {
  await (await server)?.dispose();
  server = undefined;
  taken = 0;
}

const nameOf = (index: number): string => `test${index}`;

function accountOf(_: unknown, index: number): string {
  const name = nameOf(index);
  return `${name} { jetstream: enabled, users: [{ user: ${name}, password: ${name} }] }`;
}
