export * from './connection.js';
export {
  FrameDecoder,
  type AckFrame,
  type DecodedFrame,
  type MessageFrame,
  type UnknownFrame,
} from './frame-decoder.js';
export { FrameEncoder, type PayloadSource } from './frame-encoder.js';
export { splitPayload } from './incoming-message.js';
export { refuseUnknownProfile, type IncomingRequest, type RequestHandler } from './incoming-request.js';
export * from './limits.js';
export * from './message.js';
export * from './properties.js';
export * from './protocol-error.js';
export { errorReplyOf } from './replies.js';
export * from './transport.js';
