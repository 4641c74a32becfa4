const TAG = /\s*(?:W\/)?(?:"([^"]*)"|([^",\s]+))\s*(?:,|$)/gy;

/**
 * Reads `If-None-Match` or `If-Match`: quoted tags, weak ones too, and (as clients of this API send them) unquoted ones.
 * @returns the tags without quotes; `'*'` for the wildcard; undefined if the header is malformed
 */
export function readEntityTags(header: string): readonly string[] | '*' | undefined {
  const text = header.trim();
  if (text === '*') return '*';
  const tags: string[] = [];
  TAG.lastIndex = 0;
  while (TAG.lastIndex < text.length) {
    const match = TAG.exec(text);
    if (!match) return undefined;
    tags.push(match[1] ?? match[2]!);
  }
  return tags;
}

/** Whether `If-None-Match` names one of the tags, so that the reply is 304. A malformed header matches nothing. */
export function matchesNone(header: string | undefined, tags: readonly string[]): boolean {
  if (header === undefined) return false;
  const asked = readEntityTags(header);
  if (asked === '*') return true;
  return asked !== undefined && asked.some((tag) => tags.includes(tag));
}
