import { BlipConnection, type BlipConnectionOptions } from '../connection.js';
import { type LoopbackOptions, loopbackPair } from './loopback-transport.js';
import { VirtualTime } from './virtual-time.js';
import { RawPeer } from './raw-peer.js';

/** A connection under test, and its log. */
export interface TestConnection {
  readonly connection: BlipConnection;
  readonly faults: unknown[];
}

function testConnection(
  transport: ConstructorParameters<typeof BlipConnection>[0],
  time: VirtualTime,
  options: Partial<BlipConnectionOptions>,
): TestConnection {
  const faults: unknown[] = [];
  const connection = new BlipConnection(transport, {
    scheduler: time,
    onRequest: () => {},
    onFault: (fault) => faults.push(fault),
    ...options,
  });
  return { connection, faults };
}

/** Two connections that talk to each other. */
export function connectionPair(
  leftOptions: Partial<BlipConnectionOptions> = {},
  rightOptions: Partial<BlipConnectionOptions> = {},
  link: Partial<LoopbackOptions> = {},
) {
  const time = new VirtualTime();
  const [leftEnd, rightEnd] = loopbackPair({ scheduler: time, ...link });
  const left = testConnection(leftEnd, time, leftOptions);
  const right = testConnection(rightEnd, time, rightOptions);
  return { time, left, right, leftEnd, rightEnd };
}

/** A connection and a peer that keeps no rules. */
export function connectionToRawPeer(options: Partial<BlipConnectionOptions> = {}, link: Partial<LoopbackOptions> = {}) {
  const time = new VirtualTime();
  const [end, peerEnd] = loopbackPair({ scheduler: time, ...link });
  return { time, ...testConnection(end, time, options), peer: new RawPeer(peerEnd) };
}
