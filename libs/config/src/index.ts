export { didYouMean } from './did-you-mean.js';
export * from './edge-config.js';
export { formatFault, type Fault, type ReadResult } from './fault.js';
export { parseJson5 } from './json5-text.js';
export { configJsonSchema, usersJsonSchema } from './json-schemas.js';
export { parseListenAddress } from './listen-address.js';
export { readConfig, type ReadConfigOptions } from './read-config.js';
export { checkUsers, readUsers, type Users } from './read-users.js';
export type { UserEntry } from './users-schema.js';
