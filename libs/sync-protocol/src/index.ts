export * from './attachments.js';
export * from './changes.js';
export * from './checkpoints.js';
export * from './collections.js';
export * from './profile.js';
export * from './propose-changes.js';
export * from './protocol-version.js';
export * from './rev.js';
export * from './sub-changes.js';
export {
  decodeText,
  encodeText,
  readBoolean,
  readCollectionIndex,
  resumePoint,
  sequenceProperty,
  sequenceText,
  type SequenceText,
} from './values.js';
