/**
 * When to deflate frames of messages that their sender calls worth compressing. Compression costs the sender more
 * processor time than anything else per message; on a fast link it costs throughput, on a slow one it gains.
 * - `never`
 * - `congested`: when the socket has a backlog, so that the link is the bottleneck
 * - `flagged`: always
 */
export type CompressionPolicy = 'never' | 'congested' | 'flagged';
