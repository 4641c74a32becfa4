import type { ReplicationConfig } from '@edgesync/config';
import { VERSION } from '@edgesync/platform';
import type { ClientTls, ProxyOptions } from '@edgesync/socket-ws';
import { CookieJar } from './cookie-jar.js';
import {
  isPemText,
  readCertificate,
  readClientCertificate,
  readRoots,
  readPassword,
  readTokenFile,
} from './remote-files.js';
import { isRemote } from './replication-plan.js';

/** How the remote server is reached and convinced, at one moment. */
export interface Access {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls?: ClientTls;
  readonly proxy?: ProxyOptions;
}

const TOKEN_KEY = 'auth.openid_token';

/**
 * Credentials and certificates of one replication. Files are read for every attempt, so that renewed ones are used
 * without a restart.
 */
export class RemoteAccess {
  /** The token of the latest attempt. */
  token: string | undefined;
  readonly cookies = new CookieJar();

  constructor(private readonly definition: ReplicationConfig) {}

  /** The files that the definition names. */
  get files(): readonly string[] {
    const { trustedRootCerts, pinnedCert, auth, proxy } = this.definition;
    const values = [
      trustedRootCerts,
      pinnedCert,
      ...[auth, proxy?.auth].flatMap((owner) => [
        owner?.tlsClientCert,
        owner?.tlsClientCertKey,
        typeof owner?.password === 'object' ? owner.password.path : undefined,
      ]),
    ];
    const paths = values.filter((value) => value !== undefined && !isPemText(value));
    return [...(this.tokenFile === undefined ? [] : [this.tokenFile]), ...(paths as string[])];
  }

  /** @throws {UnusableFileError} naming what cannot be read or used */
  async prepare(): Promise<Access> {
    const { headers = {}, proxy } = this.definition;
    const [authorization, tls] = await Promise.all([this.authorization(), this.tls()]);
    const cookie = this.sessionCookie();
    return {
      headers: {
        'User-Agent': `edgesync/${VERSION}`,
        ...(cookie !== undefined && { Cookie: cookie }),
        ...(authorization !== undefined && { Authorization: authorization }),
        ...headers,
      },
      ...(tls && { tls }),
      ...(proxy && { proxy: await this.proxy(proxy, tls) }),
    };
  }

  /** The token in the file now; undefined if no file is to hold one. @throws {UnusableFileError} if there is none in it */
  async readToken(): Promise<string | undefined> {
    return this.tokenFile === undefined ? undefined : readTokenFile(TOKEN_KEY, this.tokenFile);
  }

  private get tokenFile(): string | undefined {
    const token = this.definition.auth?.openidToken;
    return typeof token === 'object' ? token.path : undefined;
  }

  private async authorization(): Promise<string | undefined> {
    const { auth, source, target } = this.definition;
    const token = typeof auth?.openidToken === 'string' ? auth.openidToken : await this.readToken();
    if (token !== undefined) {
      this.token = token;
      return `Bearer ${token}`;
    }
    if (auth?.user !== undefined) return basic(auth.user, await readPassword('auth', auth.password));
    const { username, password } = new URL(isRemote(target) ? target : source);
    return username === '' ? undefined : basic(decodeURIComponent(username), decodeURIComponent(password));
  }

  /** A bare session ID or a whole cookie. */
  private sessionCookie(): string | undefined {
    const session = this.definition.auth?.sessionCookie;
    return session === undefined || /^[\w-]+=./.test(session) ? session : `SyncGatewaySession=${session}`;
  }

  private async tls(): Promise<ClientTls | undefined> {
    const { trustedRootCerts, pinnedCert, auth } = this.definition;
    const client = await readClientCertificate('auth', auth);
    if (trustedRootCerts === undefined && pinnedCert === undefined && !client) return undefined;
    return {
      ...(trustedRootCerts !== undefined && { ca: await readRoots('trusted_root_certs', trustedRootCerts) }),
      ...(pinnedCert !== undefined && { pinned: (await readCertificate('pinned_cert', pinnedCert)).raw }),
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
          ? basic(auth.user, await readPassword('proxy.auth', auth.password))
          : undefined;
    return {
      secure: type === 'HTTPS',
      host,
      port,
      ...(authorization !== undefined && { headers: { 'Proxy-Authorization': authorization } }),
      tls: { ...(tls?.ca && { ca: tls.ca }), ...(await readClientCertificate('proxy.auth', auth)) },
    };
  }
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}
