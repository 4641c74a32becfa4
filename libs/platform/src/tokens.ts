/** Names under which modules find what the launcher provides. */

/** {@link import('@edgesync/ports').Storage} */
export const STORAGE = Symbol('STORAGE');
/** {@link import('@edgesync/config').EdgeConfig} */
export const EDGE_CONFIG = Symbol('EDGE_CONFIG');
/** {@link import('./auth/authenticator.js').Authenticator} */
export const AUTHENTICATOR = Symbol('AUTHENTICATOR');
/** {@link import('./logging/loggers.js').Loggers} */
export const LOGGERS = Symbol('LOGGERS');
