export { withAttachments } from './attachments.js';
export * from './blobs.js';
export {
  type Body,
  type BodyMetadata,
  readBody,
  readPeerBody,
  readProperty,
  type ShownMetadata,
  withMetadata,
} from './body.js';
export * from './bulk-docs.js';
export * from './canonical.js';
export * from './delta.js';
export * from './doc-id.js';
export {
  checkJson,
  getMember,
  type JsonMember,
  removeMember,
  setMember,
  skipString,
  skipValue,
  topLevelMembers,
} from './json-text.js';
export * from './keyspace.js';
export * from './limits.js';
export { compareBytes, utf8Length } from './utf8.js';
export { isJsonArray, type JsonObject, JsonScalar, type JsonTree, readJsonTree } from './json-tree.js';
