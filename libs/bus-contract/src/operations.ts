/** Everything that can be asked of a database's owner: the last token of a request's subject. */
export const OPERATIONS = [
  'describe',
  'collection',
  'read',
  'readRevision',
  'list',
  'write',
  'changes',
  'loadCheckpoint',
  'saveCheckpoint',
  'putBlob',
  'openBlob',
  'readBlob',
  'missingBlobs',
] as const;

export type Operation = (typeof OPERATIONS)[number];
