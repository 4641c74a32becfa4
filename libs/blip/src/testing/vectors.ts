import vectors from '../../fixtures/blip-frames.json' with { type: 'json' };

/** Byte-exact vectors of framing, checksums and compression, and captures of a real client. */
export { vectors };
