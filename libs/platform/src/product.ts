import { readFileSync } from 'node:fs';

const packageFile = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** Our own version. */
export const VERSION = packageFile.version;

/** The release of the product whose interfaces we offer. */
export const COMPATIBLE_VERSION = '1.1.0';

/** Value of the `Server` header (docs/protocol/rest.md#conventions). */
export const SERVER_HEADER = `CouchbaseEdgeServer/${COMPATIBLE_VERSION}`;

/**
 * Body of `GET /` (docs/protocol/rest.md#server-information). Clients parse `x.y.z (build; edition)` after the first or
 * after the last slash of `version`, hence there is only one.
 */
export const SERVER_INFO = {
  couchdb: 'Welcome',
  vendor: { name: 'Couchbase Edge Server', version: `${COMPATIBLE_VERSION} (1; edgesync)` },
  version: `${SERVER_HEADER} (1; edgesync)`,
} as const;
