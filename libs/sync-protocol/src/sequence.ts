/**
 * Sequences of a peer are JSON: a number or a string. They are compared, stored and sent back as text
 * (docs/protocol/checkpoints.md#sequences), in the one spelling that {@link sequenceText} gives them.
 */
export type SequenceText = string;

/** The text of a sequence that was parsed with its row; undefined if it is no sequence. */
export function sequenceText(value: unknown): SequenceText | undefined {
  return typeof value === 'number' || typeof value === 'string' ? JSON.stringify(value) : undefined;
}

/** The text of a sequence that came as a property: JSON, or a string without its quotes. */
export function sequenceProperty(value: string): SequenceText {
  try {
    return sequenceText(JSON.parse(value)) ?? JSON.stringify(value);
  } catch {
    return JSON.stringify(value);
  }
}

/**
 * Where to resume one of our own feeds, whose sequences are integers from 1: from `5`, quoted or bare. Whatever else
 * stands there was never a sequence of ours, so everything is sent again from 0.
 */
export function resumePoint(since: string | undefined): number {
  const digits = /^"?([0-9]{1,15})"?$/.exec(since ?? '')?.[1];
  return digits === undefined ? 0 : Number(digits);
}
