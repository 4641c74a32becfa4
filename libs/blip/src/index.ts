export * from './compression-policy.js';
export * from './connection.js';
export * from './error-reply.js';
export * from './flow-control.js';
export {
  FrameDecoder,
  type AckFrame,
  type DecodedFrame,
  type MessageFrame,
  type UnknownFrame,
} from './frame-decoder.js';
export { FrameEncoder, type PayloadSource } from './frame-encoder.js';
export { splitPayload } from './incoming-message.js';
export type { IncomingRequest, RequestHandler } from './incoming-request.js';
export * from './limits.js';
export * from './loopback-transport.js';
export * from './message.js';
export * from './properties.js';
export * from './protocol-error.js';
export * from './request-router.js';
export * from './transport.js';
export * from './virtual-time.js';
