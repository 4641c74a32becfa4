/** The cookies of one server. Attributes are left out: they go to nobody else, and a server that is done with one says so. */
export class CookieJar {
  private readonly cookies = new Map<string, string>();

  /** @param lines `Set-Cookie` headers */
  store(lines: readonly string[] | undefined): void {
    for (const line of lines ?? []) {
      const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
      const at = pair.indexOf('=');
      if (at < 1) continue;
      const name = pair.slice(0, at);
      const isOver = attributes.some((attribute) => /^max-age\s*=\s*(?:0|-\d+)$/i.test(attribute));
      if (isOver) this.cookies.delete(name);
      else this.cookies.set(name, pair.slice(at + 1));
    }
  }

  /** The `Cookie` header, '' if there are none. */
  header(): string {
    return Array.from(this.cookies, ([name, value]) => `${name}=${value}`).join('; ');
  }
}
