/** Forms of names, as regular expressions that JSON schema can carry too. The parsers are in `@edgesync/document`. */

const COLLECTION = '(?:_default|[A-Za-z0-9-][A-Za-z0-9_%-]{0,250})';
const DATABASE = '(?!_)[ -\\-0-~]{1,240}';

export const DATABASE_NAME = {
  pattern: new RegExp(`^${DATABASE}$`),
  expects: '1 to 240 printable ASCII characters without "." and "/", and must not start with "_"',
};

export const COLLECTION_NAME = {
  pattern: new RegExp(`^(?:${COLLECTION}\\.)?${COLLECTION}$`),
  expects: '"collection" or "scope.collection" made of letters, digits, "_", "-" and "%", not starting with "_" or "%"',
  visible: true,
};

export const ACCESS_PATTERN = {
  pattern: new RegExp(`^(?:\\*|${DATABASE}(?:\\.(?:\\*|${COLLECTION}(?:\\.(?:\\*|${COLLECTION}))?))?)$`),
  expects: '"*", "db", "db.*", "db.collection", "db.scope.*" or "db.scope.collection"',
};

/** A colon would end the name in a Basic `Authorization` header. */
export const USER_NAME = {
  pattern: /^[^:\u0000-\u001f\u007f]{1,255}$/,
  expects: 'a user name of 1 to 255 characters without ":" and control characters',
};

export const NOT_EMPTY = { pattern: /^[^]+$/, expects: 'a string that is not empty' };

export const HEADER_NAME = {
  pattern: /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/,
  expects: 'the name of an HTTP header',
  visible: true,
};
