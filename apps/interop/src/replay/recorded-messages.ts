import { FrameDecoder, FrameFlag, MessageType, splitPayload, type Properties } from '@edgesync/blip';
import type { TranscriptConnection } from '@edgesync/test-kit';

/** One message of a recorded conversation. */
export interface RecordedMessage {
  readonly from: 'client' | 'server';
  readonly type: MessageType;
  readonly number: number;
  readonly noReply: boolean;
  readonly urgent: boolean;
  readonly properties: Properties;
  readonly body: Uint8Array;
}

/** The messages of a connection, in the order in which their last frames were sent. ACKs are left out. */
export function decodeConnection({ messages }: TranscriptConnection): RecordedMessage[] {
  const decoders = { client: new FrameDecoder(), server: new FrameDecoder() };
  const open = new Map<string, { flags: number; pieces: Uint8Array[] }>();
  const decoded: RecordedMessage[] = [];
  for (const { from, type: kind, hex } of messages) {
    if (kind !== 'binary') continue;
    const frame = decoders[from].decode(new Uint8Array(Buffer.from(hex, 'hex')));
    if (frame.kind !== 'message') continue;
    const { number, type, flags, payload } = frame;
    const key = `${from}${type === MessageType.request ? '>' : '<'}${number}`;
    const begun = open.get(key) ?? { flags, pieces: [] };
    begun.pieces.push(payload.slice());
    open.set(key, begun);
    if ((flags & FrameFlag.moreComing) !== 0) continue;
    open.delete(key);
    const content = splitPayload(new Uint8Array(Buffer.concat(begun.pieces)));
    if (!content) throw new Error('a recorded message whose properties are cut off');
    decoded.push({
      from,
      type,
      number,
      noReply: (begun.flags & FrameFlag.noReply) !== 0,
      urgent: (begun.flags & FrameFlag.urgent) !== 0,
      ...content,
    });
  }
  return decoded;
}

export function profileOf(message: { readonly properties: Properties }): string {
  return message.properties.get('Profile') ?? '';
}

export function textOf(message: { readonly body: Uint8Array }): string {
  return new TextDecoder().decode(message.body);
}

export function jsonOf(message: { readonly body: Uint8Array }): unknown {
  return message.body.length === 0 ? undefined : JSON.parse(textOf(message));
}

/** Rows of a recorded `changes`. */
export type ChangeRow = readonly [sequence: number, id: string, rev: string, flags?: number | boolean, size?: number];

export function changeRows(message: { readonly body: Uint8Array }): readonly ChangeRow[] {
  return (jsonOf(message) ?? []) as readonly ChangeRow[];
}
