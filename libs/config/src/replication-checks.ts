import { DEFAULT_COLLECTION, DEFAULT_SCOPE, formatCollection, type CollectionName } from '@edgesync/document';
import { didYouMean } from './did-you-mean.js';
import type { DatabaseConfig, ReplicationConfig } from './edge-config.js';
import type { Place } from './shape.js';

const ENDS = ['source', 'target'] as const;

/** Whether an end of a replication is on another server. */
const isRemote = (end: string): boolean => /^wss?:/i.test(end);

type Ends = Pick<ReplicationConfig, (typeof ENDS)[number]>;

/** Notes what is wrong with the two ends, whatever the databases of this server are. */
export function checkEnds(item: Ends, place: Place): void {
  const remotes = ENDS.filter((end) => isRemote(item[end]));
  if (remotes.length === 1) checkRemote(item[remotes[0]!], place.at(remotes[0]!));
  else if (remotes.length === 2) place.refuse('has two remote ends', NEEDED_ENDS);
  else refuseTwoLocalEnds(item, place);
}

/** Notes which members of a definition do not go together. */
export function checkMembers(item: ReplicationConfig, place: Place): void {
  if (item.collections?.length === 0)
    place.at('collections').refuse('is empty', 'Name the collections, or remove the key to replicate the default one.');
  if (item.collections && (item.channels || item.docIds))
    place.refuse('has channels or doc_ids beside collections', 'Put them inside the collections object.');
  checkCredentials(item, place);
  warnOfNoEffect(item, place);
}

const NEEDED_ENDS =
  'Make one of source and target a ws:// or wss:// URL and the other the name of a database of this server.';

/** A URL of another scheme was meant to be remote. */
function refuseTwoLocalEnds(item: Ends, place: Place): void {
  for (const end of ENDS) {
    const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(item[end])?.[1]?.toLowerCase();
    if (scheme === undefined) continue;
    const meant = scheme.endsWith('s') ? 'wss' : 'ws';
    place.at(end).refuse(`is a URL of the scheme ${scheme}:`, `Write it with ${meant}: replications use WebSockets.`);
    return;
  }
  place.refuse('has no remote end', NEEDED_ENDS);
}

function checkRemote(text: string, place: Place): void {
  const url = URL.parse(text);
  const path = url?.pathname.replace(/^\/+|\/+$/g, '') ?? '';
  if (!url || url.hostname === '' || path === '' || url.port === '0')
    place.refuse('is not the URL of a database', 'Write it as wss://host:4984/database.');
  else if (/(?:^|\/)_blipsync$/.test(path))
    place.refuse('names the endpoint of sync', 'Leave /_blipsync out: it is added to the URL of the database.');
  else if (decoded(path) === undefined)
    place.refuse('is not percent-encoded UTF-8', 'Write a "%" of the name of the database as "%25".');
  if (url?.hash) place.refuse('has a fragment', 'Remove what begins with "#", or write "#" as "%23".');
  if (url) checkUserInfo(url, place);
}

/** The message quotes nothing: what is there is secret. */
function checkUserInfo({ username, password }: URL, place: Place): void {
  const [user, secret] = [decoded(username), decoded(password)];
  if (user === undefined || secret === undefined)
    place.refuse('has a user name or password that is not percent-encoded UTF-8', 'Write a "%" in them as "%25".');
  else if (user === '' && secret !== '') place.refuse('has a password without a user name', 'Give both, or neither.');
  else if (/[:\x00-\x1f\x7f]/.test(user) || /[\x00-\x1f\x7f]/.test(secret))
    place.refuse(
      'has a user name with ":", or control characters in the user name or password',
      'HTTP Basic authentication cannot send them: choose another user name or password.',
    );
}

/** @returns undefined if the text is not percent-encoded UTF-8 */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** A header that is set by hand would silently win over the credentials of `auth` or of the URL. */
function checkCredentials({ headers = {}, auth, source, target }: ReplicationConfig, place: Place): void {
  const remote = isRemote(source) ? source : target;
  const hasCredentials =
    auth?.openidToken !== undefined || auth?.user !== undefined || (URL.parse(remote)?.username ?? '') !== '';
  for (const name of Object.keys(headers)) {
    const lower = name.toLowerCase();
    if (lower === 'authorization' && hasCredentials)
      place.at('headers').at(name).refuse('stands beside other credentials', 'Give the credentials once.');
    if (lower === 'cookie' && auth?.sessionCookie !== undefined)
      place.at('headers').at(name).refuse('stands beside auth.session_cookie', 'Put both cookies into the header.');
  }
}

/** The databases of this server; `collections` as in their configuration. */
export type KnownDatabases = ReadonlyMap<string, Pick<DatabaseConfig, 'collections'>>;

/** Notes which local database or collection of a definition this server does not have, as far as the configuration says. */
export function checkLocalEnd(item: ReplicationConfig, databases: KnownDatabases, place: Place): void {
  const end = localEnd(item);
  if (end === undefined) return;
  const database = databases.get(item[end]);
  if (!database) {
    const names = [...databases.keys()];
    const meant = didYouMean(item[end], names);
    const fix = meant === undefined ? `Known: ${names.join(', ')}.` : `Did you mean ${JSON.stringify(meant)}?`;
    place.at(end).refuse(`names no configured database: ${JSON.stringify(item[end])}`, fix);
    return;
  }
  if (!database.collections) return;
  const shared = new Set(database.collections.map(formatCollection));
  const wanted: readonly CollectionName[] = item.collections ?? [
    { scope: DEFAULT_SCOPE, collection: DEFAULT_COLLECTION },
  ];
  for (const name of wanted.map(formatCollection))
    if (!shared.has(name))
      place
        .at('collections')
        .refuse(
          `${item.collections ? 'has' : 'is missing, which means'} ${name}, which the database ${JSON.stringify(item[end])} does not share`,
          `Shared: ${[...shared].join(', ')}.`,
        );
}

/** The end that is a database of this server; undefined if there is not exactly one. */
export function localEnd(item: ReplicationConfig): 'source' | 'target' | undefined {
  const ends = ENDS.filter((end) => !isRemote(item[end]));
  return ends.length === 1 ? ends[0] : undefined;
}

/** Warns about keys that have no effect. */
function warnOfNoEffect(item: ReplicationConfig, place: Place): void {
  const end = localEnd(item);
  if (end === undefined) return;
  const remote = item[end === 'source' ? 'target' : 'source'];
  const warn = (isUseless: boolean, key: string, why: string, fix: string): void => {
    if (!isUseless) return;
    const at = key.split('.').reduce((at, part) => at.at(part), place);
    at.warn(`has no effect: ${why}`, fix);
  };
  const isPlain = /^ws:/i.test(remote);
  const plain = ['the remote server is reached without TLS', 'Write wss: in its URL, or remove the key.'] as const;
  const { auth, proxy } = item;
  const isPlainProxy = proxy?.type !== 'HTTPS';
  warn(isPlain && item.pinnedCert !== undefined, 'pinned_cert', ...plain);
  warn(isPlain && isPlainProxy && item.trustedRootCerts !== undefined, 'trusted_root_certs', ...plain);
  warn(isPlain && auth?.tlsClientCert !== undefined, 'auth.tls_client_cert', ...plain);
  warn(
    isPlainProxy && proxy?.auth?.tlsClientCert !== undefined,
    'proxy.auth.tls_client_cert',
    'the proxy is reached without TLS',
    'Set proxy.type to "HTTPS", or remove the key.',
  );
  warn(
    auth?.reconnectOnTokenChange === true && typeof auth.openidToken !== 'object',
    'auth.reconnect_on_token_change',
    'no file holds the token',
    'Give auth.openid_token a path, or remove the key.',
  );
  const isPushOnly = end === 'source' && !item.bidirectional;
  warn(isPushOnly && item.channels !== undefined, 'channels', 'nothing is pulled', 'Remove the key.');
  for (const { channels, ...name } of item.collections ?? [])
    warn(
      isPushOnly && channels !== undefined,
      'collections',
      `nothing is pulled, so the channels of ${formatCollection(name)} select nothing`,
      'Remove the channels.',
    );
}
