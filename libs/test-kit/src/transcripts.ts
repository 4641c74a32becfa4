import { readdirSync, readFileSync } from 'node:fs';

/** One WebSocket message of a recorded conversation. */
export interface TranscriptMessage {
  readonly from: 'client' | 'server';
  readonly type: 'binary' | 'close' | 'ping' | 'pong';
  /** The message's bytes: of a `binary` one BLIP frame, of a `close` the code and the reason. */
  readonly hex: string;
}

export interface TranscriptConnection {
  /** Head of the HTTP request that asked for the upgrade. */
  readonly request: string;
  /** Head of the HTTP response. */
  readonly response: string;
  readonly messages: readonly TranscriptMessage[];
}

/**
 * A recorded conversation of a real Couchbase Lite client with Couchbase's own engine as the passive peer. Names begin
 * with `v3-` (Couchbase Lite 3.2), `vv-` (4.1, version vectors) or `revtree-` (4.1's tool on rev-tree databases).
 */
export interface Transcript {
  readonly name: string;
  readonly description: string;
  readonly connections: readonly TranscriptConnection[];
}

const folder = new URL('../fixtures/transcripts/', import.meta.url);

/** Names of all transcripts, sorted. */
export function transcriptNames(): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .sort();
}

export function loadTranscript(name: string): Transcript {
  const content = JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as Omit<Transcript, 'name'>;
  return { name, ...content };
}
