import { readFile } from 'node:fs/promises';
import type { ReplicationConfig } from '@edgesync/config';
import { VERSION } from '@edgesync/platform';
import type { ClientTls, ProxyOptions } from '@edgesync/socket-ws';
import { CookieJar } from './cookie-jar.js';
import { UnusableFileError } from './failure.js';
import { certificateChain, certificateOf, privateKey, readMaterial, rootCertificates } from './tls-material.js';
import { isRemote } from './upstream-plan.js';

/** How the remote server is reached and convinced, at one moment. */
export interface Access {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls?: ClientTls;
  readonly proxy?: ProxyOptions;
}

type Auth = NonNullable<ReplicationConfig['auth']>;
type ClientCertificate = Pick<Auth, 'tlsClientCert' | 'tlsClientCertKey'>;

/** What a bearer token may consist of; anything else would end the header, or begin another. */
const TOKEN = /^[\x21-\x7e]+$/;

/**
 * Credentials and certificates of one replication. Files are read for every attempt, so that renewed ones are used
 * without a restart.
 */
export class RemoteAccess {
  /** The token of the latest attempt. */
  token: string | undefined;
  /** What the server set; sent back with later attempts (J.2-2). */
  readonly cookies = new CookieJar();

  constructor(private readonly definition: ReplicationConfig) {}

  /** The file that holds the token, if one does. */
  get tokenFile(): string | undefined {
    const token = this.definition.auth?.openidToken;
    return typeof token === 'object' ? token.path : undefined;
  }

  /** @throws {UnusableFileError} naming what cannot be read or used */
  async prepare(): Promise<Access> {
    const { headers = {}, proxy } = this.definition;
    const [authorization, tls] = await Promise.all([this.authorization(), this.tls()]);
    const cookie = this.sessionCookie();
    return {
      headers: {
        'User-Agent': `edgesync/${VERSION}`,
        ...(cookie !== '' && { Cookie: cookie }),
        ...(authorization !== undefined && { Authorization: authorization }),
        ...headers,
      },
      ...(tls && { tls }),
      ...(proxy && { proxy: await this.proxy(proxy, tls) }),
    };
  }

  /** The token in the file now. @throws {UnusableFileError} if there is none */
  async readToken(): Promise<string | undefined> {
    const { tokenFile } = this;
    if (tokenFile === undefined) return undefined;
    let text: string;
    try {
      text = (await readFile(tokenFile, 'utf8')).trim();
    } catch (error) {
      throw new UnusableFileError(
        `the token file cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown fault'}`,
      );
    }
    if (text === '') throw new UnusableFileError('the token file is empty');
    if (!TOKEN.test(text)) throw new UnusableFileError('the token file holds something else than a token');
    return text;
  }

  private async authorization(): Promise<string | undefined> {
    const auth = this.definition.auth;
    const given = typeof auth?.openidToken === 'string' ? auth.openidToken : await this.readToken();
    if (given !== undefined) {
      this.token = given;
      if (!TOKEN.test(given)) throw new UnusableFileError('openid_token holds something else than a token');
      return `Bearer ${given}`;
    }
    if (auth?.user !== undefined) return basic(auth.user, auth.password ?? '');
    const { username, password } = new URL(this.remoteEnd);
    return username === '' ? undefined : basic(decodeURIComponent(username), decodeURIComponent(password));
  }

  private get remoteEnd(): string {
    const { source, target } = this.definition;
    return isRemote(target) ? target : source;
  }

  /** A bare session ID or a whole cookie (ref 3.5). */
  private sessionCookie(): string {
    const session = this.definition.auth?.sessionCookie;
    if (session === undefined) return '';
    return /^[\w-]+=./.test(session) ? session : `SyncGatewaySession=${session}`;
  }

  private async tls(): Promise<ClientTls | undefined> {
    const { trustedRootCerts, pinnedCert, auth } = this.definition;
    const client = auth && (await clientCertificate(auth, 'auth'));
    if (trustedRootCerts === undefined && pinnedCert === undefined && !client) return undefined;
    return {
      ...(trustedRootCerts !== undefined && {
        ca: rootCertificates(await readMaterial(trustedRootCerts, 'trusted_root_certs')),
      }),
      ...(pinnedCert !== undefined && {
        pinned: certificateOf(await readMaterial(pinnedCert, 'pinned_cert'), 'pinned_cert').raw,
      }),
      ...client,
    };
  }

  private async proxy(
    { type, host, port, auth }: NonNullable<ReplicationConfig['proxy']>,
    tls: ClientTls | undefined,
  ): Promise<ProxyOptions> {
    const authorization =
      auth?.openidToken !== undefined
        ? `Bearer ${auth.openidToken}`
        : auth?.user !== undefined
          ? basic(auth.user, auth.password ?? '')
          : undefined;
    const client = auth && (await clientCertificate(auth, 'proxy.auth'));
    return {
      secure: type === 'HTTPS',
      host,
      port,
      ...(authorization !== undefined && { headers: { 'Proxy-Authorization': authorization } }),
      tls: { ...(tls?.ca && { ca: tls.ca }), ...client },
    };
  }
}

async function clientCertificate(
  { tlsClientCert, tlsClientCertKey }: ClientCertificate,
  place: string,
): Promise<Pick<ClientTls, 'cert' | 'key'> | undefined> {
  if (tlsClientCert === undefined || tlsClientCertKey === undefined) return undefined;
  const [cert, key] = [`${place}.tls_client_cert`, `${place}.tls_client_cert_key`];
  const parsedKey = privateKey(await readMaterial(tlsClientCertKey, key), key);
  const chain = certificateChain(await readMaterial(tlsClientCert, cert), cert);
  if (!certificateOf(Buffer.from(chain), cert).checkPrivateKey(parsedKey))
    throw new UnusableFileError(`${key} is not the key of ${cert}`);
  return { cert: chain, key: parsedKey.export({ type: 'pkcs8', format: 'pem' }) };
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}
