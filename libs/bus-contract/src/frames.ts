import { EdgeError } from '@edgesync/errors';
import { decodeMessage, type Message } from './envelope.js';

/** The message that follows is the end of its stream. */
export const FLAG_LAST = 2;

const LENGTH_BYTES = 4;

/** Puts the length before a message, so that it can be found in a stream of bytes. 32 bits, big-endian. */
export function frameMessage(message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(LENGTH_BYTES + message.byteLength);
  new DataView(frame.buffer).setUint32(0, message.byteLength);
  frame.set(message, LENGTH_BYTES);
  return frame;
}

/** The messages in a stream of bytes, however it was cut. @throws EdgeError `bus.invalid`, `bus.version` */
export async function* readFrames(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Message, void, undefined> {
  let rest: Uint8Array = new Uint8Array(0);
  for await (const chunk of chunks) {
    rest = rest.byteLength === 0 ? chunk : concat(rest, chunk);
    for (let length = frameLength(rest); length <= rest.byteLength; length = frameLength(rest)) {
      yield decodeMessage(rest.subarray(LENGTH_BYTES, length));
      rest = rest.subarray(length);
    }
  }
  if (rest.byteLength > 0) throw new EdgeError('bus.invalid', 'a stream ends within a message');
}

const frameLength = (bytes: Uint8Array): number =>
  bytes.byteLength < LENGTH_BYTES ? Infinity : LENGTH_BYTES + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.byteLength + b.byteLength);
  joined.set(a);
  joined.set(b, a.byteLength);
  return joined;
}
