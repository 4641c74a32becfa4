import { loadTranscript } from '@edgesync/test-kit';
import { decodeConnection, jsonOf, profileOf } from './recorded-messages.js';
import type { KnownBodies } from './server-state.js';

/** The base of the recorded deltas, worked back from the edit that they describe. */
export function deltaBases(): KnownBodies {
  const bodies: Record<string, string> = {};
  for (const name of ['v3-delta-pull', 'vv-delta-pull']) {
    const messages = loadTranscript(name).connections.flatMap(decodeConnection);
    const edited = jsonOf(messages.find((message) => profileOf(message) === 'rev')!) as { story: string };
    const [[base]] = jsonOf(
      messages.find((message) => message.from === 'client' && message.properties.has('deltas'))!,
    ) as [[string]];
    const before = { a: 1, list: [1, 2, 3], o: { x: 1, y: 2, z: 2 }, story: edited.story };
    bodies[`d1 ${base}`] = JSON.stringify(before);
  }
  return bodies;
}
