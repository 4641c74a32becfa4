export * from './announcement.js';
export * from './envelope.js';
export * from './frames.js';
export type {
  ByteStream,
  BytesOperation,
  CallContext,
  Named,
  Operation,
  RequestCodec,
  ReplyCodec,
  StorageOwner,
  StreamOperation,
  ValueOperation,
} from './operation.js';
export * from './replications.js';
export * from './request-header.js';
export * from './sessions.js';
export * from './signals.js';
export * from './storage-operations.js';
export * from './subjects.js';
