/**
 * Which web pages may use the server from elsewhere, by the `Origin` header that browsers send
 * (docs/protocol/edge-server.md#cors). A page of the server itself always may.
 */
export class OriginPolicy {
  /** Whether pages of every origin may. */
  readonly any: boolean;
  private readonly listed: ReadonlySet<string>;

  /** @param origins exact origins, such as `https://app.example`, or `*` for any; none admits no page from elsewhere */
  constructor(origins: readonly string[]) {
    this.any = origins.includes('*');
    this.listed = new Set(origins.map(normalOrigin));
  }

  /** Whether the origin is one that the operator named, or any may. Browsers write origins in one way only. */
  lists(origin: string): boolean {
    return this.any || this.listed.has(origin);
  }

  /**
   * Whether a WebSocket may be opened. Browsers let any page try, so the server has to look. Programs that are no
   * browsers send no `Origin`, or that of the address they connect to.
   * @param origin the `Origin` header
   * @param host the `Host` header
   */
  admitsWebSocket(origin: string | undefined, host: string | undefined): boolean {
    return origin === undefined || this.lists(origin) || isOwnOrigin(origin, host);
  }
}

/** An origin as a person may write it: capitals and a final slash do not matter. */
function normalOrigin(text: string): string {
  return text.toLowerCase().replace(/\/$/, '');
}

const DEFAULT_PORT = /^(https?|wss?):\/\/(.*?)(?::(\d+))?$/;

/** Whether the origin is the very address that the request went to, under whatever scheme a proxy made of it. */
function isOwnOrigin(origin: string, host: string | undefined): boolean {
  const match = DEFAULT_PORT.exec(normalOrigin(origin));
  if (!match || host === undefined) return false;
  const [, scheme, name, port] = match;
  const defaultPort = scheme === 'https' || scheme === 'wss' ? '443' : '80';
  const own = host.toLowerCase();
  return own === `${name}:${port ?? defaultPort}` || ((port ?? defaultPort) === defaultPort && own === name);
}
