import type { CookieJar as Jar } from 'tough-cookie';

/** The cookies that servers have set, each sent back only to where it belongs (RFC 6265). */
export class CookieJar {
  /** Loaded with the first cookie: the library takes more than a megabyte, and most servers set none. */
  private jar: Jar | undefined;

  /** @param lines `Set-Cookie` headers of an answer from `url`; those that are no cookies are ignored */
  async store(url: string, lines: readonly string[]): Promise<void> {
    this.jar ??= await createJar();
    for (const line of lines) this.jar.setCookieSync(line, url, { ignoreError: true });
  }

  /** The `Cookie` header for a URL, '' if there are none. */
  header(url: string): string {
    return this.jar?.getCookieStringSync(url) ?? '';
  }
}

async function createJar(): Promise<Jar> {
  const { CookieJar: Jar } = await import('tough-cookie');
  // Servers of a plant have names such as `edge` or `localhost`, which are no registered domains.
  return new Jar(undefined, { rejectPublicSuffixes: false, allowSpecialUseDomain: true });
}
