/**
 * The receiver of a message acknowledges whenever this many more bytes of it have come
 * (docs/protocol/blip.md#flow-control).
 */
export const ACK_EVERY_BYTES = 50_000;

/**
 * The sender of a message stops when this many of its bytes are not acknowledged (docs/protocol/blip.md#flow-control).
 */
export const WINDOW_BYTES = 128_000;

/**
 * A streamed body is acknowledged only while its reader is at most this far behind. Together with the window this
 * bounds what a slow reader makes us hold.
 */
export const STREAM_READ_AHEAD_BYTES = 64 * 1024;

/**
 * No more frames are made while the transport holds this much. Enough to keep a socket busy for a turn of the event
 * loop, little enough that an urgent message is not stuck behind it.
 */
export const TRANSPORT_HIGH_WATER_BYTES = 128 * 1024;
