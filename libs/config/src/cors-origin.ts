import type { Invalid, Place } from './shape.js';

const SCHEME = /^[a-z][a-z0-9+.-]*:\/\//;

/**
 * Accepts an origin that some page can have: `*`, `null`, or what browsers send in `Origin`, which is a scheme, a host in
 * ASCII and a port other than the scheme's own. Capitals and a final slash do not matter.
 */
export function checkOrigin(written: string, place: Place): string | Invalid {
  const origin = written.toLowerCase().replace(/([^/])\/$/, '$1');
  if (origin === '*') return written;
  if (origin === 'null') {
    place.warn(
      'admits "null", the origin of local files and of frames that any page can make',
      'Remove it, unless an app needs it.',
    );
    return written;
  }
  const problem = `is ${JSON.stringify(written)}, which no page can have as its origin`;
  if (origin.includes('*'))
    return place.refuse(problem, 'List every origin in full, or write ["*"] to admit all pages.');
  if (!SCHEME.test(origin))
    return place.refuse(problem, `Put the scheme in front: "https://${origin.replace(/^\/+/, '')}".`);
  const known = browserForm(origin);
  if (known === undefined)
    return place.refuse(problem, 'Write a scheme, a host and, if it is not the usual one, a port.');
  return known === origin ? written : place.refuse(problem, `Browsers send ${JSON.stringify(known)}: write that.`);
}

/** The header that a browser sends for a page there; undefined if there can be none. */
function browserForm(origin: string): string | undefined {
  if (!URL.canParse(origin)) return undefined;
  const url = new URL(origin);
  // Of schemes that the URL standard does not know, such as those of app frameworks, the host stays as it is.
  return url.origin === 'null' ? /^[^:]+:\/\/[^/?#@\s]+/.exec(origin)?.[0] : url.origin;
}

/** Warns about origins that another one makes pointless. */
export function checkOrigins(origins: string[], place: Place): string[] {
  if (origins.length === 0)
    place.warn('is empty: pages of other origins stay locked out', 'List origins, or remove cors.');
  if (origins.length > 1 && origins.includes('*'))
    place.warn(
      'has "*" beside other origins, which admits all pages, and none with credentials',
      'Keep one or the other.',
    );
  return origins;
}
