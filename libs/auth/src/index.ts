export { accessPolicyOf } from './access-policy-of.js';
export { authenticateRequest } from './authenticate-request.js';
export { Authenticator, type AuthenticatorOptions } from './authenticator.js';
export { createAuthenticator } from './create-authenticator.js';
export { HANDSHAKE_HEADER, HandshakeVerifier, newSession, signHandshake, type Handshake } from './handshake.js';
export type { AuthenticationObserver } from './observed-authenticator.js';
export { hashPassword, MAX_PASSWORD_BYTES, verifyPassword } from './password-hash.js';
export { REPLICATION_SEAL, Sealer } from './sealer.js';
export { watchUsers } from './watch-users.js';
