import { FrameDecoder } from '../frame-decoder.js';
import type { FrameEncoder } from '../frame-encoder.js';
import { messageOf, splitPayload } from '../incoming-message.js';
import { type BlipMessage, FrameFlag, MessageType } from '../message.js';
import { concatBytes, fromHex } from './bytes.js';

/** One recorded frame, decoded. */
export interface RecordedFrame {
  readonly from: string;
  readonly hex: string;
  readonly number: number;
  /** Absent on ACKs. */
  readonly message?: { readonly type: MessageType; readonly flags: number; readonly payload: Uint8Array };
  readonly ack?: { readonly ofReply: boolean; readonly receivedBytes: number };
}

/** One message of a recorded conversation, with the position of its first frame. */
export interface RecordedMessage extends BlipMessage {
  readonly from: string;
  readonly firstFrame: number;
  readonly payload: Uint8Array;
}

/** Decodes a conversation, each direction with its own context, and verifies every checksum on the way. */
export function decodeFrames(frames: readonly { from: string; hex: string }[]): RecordedFrame[] {
  const decoders = new Map<string, FrameDecoder>();
  return frames.map(({ from, hex }) => {
    const decoder = decoders.get(from) ?? new FrameDecoder();
    decoders.set(from, decoder);
    const frame = decoder.decode(fromHex(hex));
    if (frame.kind === 'unknown') throw new Error(`a recorded frame of unknown type: ${hex}`);
    const { number } = frame;
    if (frame.kind === 'ack') return { from, hex, number, ack: frame };
    const { type, flags, payload } = frame;
    return { from, hex, number, message: { type, flags, payload: payload.slice() } };
  });
}

/** Puts the messages of a conversation together. */
export function assembleMessages(frames: readonly RecordedFrame[]): RecordedMessage[] {
  const open = new Map<string, { firstFrame: number; flags: number; payloads: Uint8Array[] }>();
  const messages: RecordedMessage[] = [];
  frames.forEach(({ from, number, message }, index) => {
    if (!message) return;
    const { type, flags } = message;
    const key = `${from} ${type === MessageType.request ? 'request' : 'reply'} ${number}`;
    const begun = open.get(key) ?? { firstFrame: index, flags, payloads: [] };
    begun.payloads.push(message.payload);
    open.set(key, begun);
    if (flags & FrameFlag.moreComing) return;
    open.delete(key);
    const payload = concatBytes(...begun.payloads);
    const { properties, body } = splitPayload(payload)!;
    messages.push({
      ...messageOf(number, type, begun.flags, properties, body),
      from,
      firstFrame: begun.firstFrame,
      payload,
    });
  });
  if (open.size > 0) throw new Error('a recorded message without its last frame');
  return messages.sort((a, b) => a.firstFrame - b.firstFrame);
}

/** The frames of a message that is cut into two, the second one possibly empty. */
export function splitAt(
  encoder: FrameEncoder,
  number: number,
  flags: number,
  payload: Uint8Array,
  cut: number,
): Uint8Array[] {
  const frame = (piece: Uint8Array, more: number): Uint8Array[] => {
    const frames: Uint8Array[] = [];
    // Recorded messages may be longer than our frames.
    const size = 16_000;
    for (let at = 0; at === 0 || at < piece.length; at += size) {
      const part = piece.subarray(at, at + size);
      const isLast = at + size >= piece.length;
      const source = { takeInto: (target: Uint8Array, to: number) => target.set(part, to) };
      frames.push(encoder.encode(number, flags | (isLast ? more : FrameFlag.moreComing), source, part.length, false));
    }
    return frames;
  };
  return [...frame(payload.subarray(0, cut), FrameFlag.moreComing), ...frame(payload.subarray(cut), 0)];
}
