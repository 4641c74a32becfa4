import type { ReplicationConfig } from './edge-config.js';
import type { Place } from './shape.js';

/**
 * Notes at `place` what keeps a well-formed replication from being started (ref 3.5, 6.16).
 * @param databases names of the configured databases
 */
export function checkReplication(item: ReplicationConfig, databases: ReadonlySet<string>, place: Place): void {
  const remotes = (['source', 'target'] as const).filter((end) => /^wss?:/i.test(item[end]));
  if (remotes.length !== 1)
    place.refuse(
      remotes.length === 0 ? 'has no remote end' : 'has two remote ends',
      'Make one of source and target a ws:// or wss:// URL and the other the name of a database of this server.',
    );
  for (const end of ['source', 'target'] as const)
    if (remotes.includes(end)) checkRemote(item[end], place.at(end));
    else if (remotes.length === 1 && !databases.has(item[end]))
      place
        .at(end)
        .refuse(`names no configured database: ${JSON.stringify(item[end])}`, `Known: ${[...databases].join(', ')}.`);
  if (item.collections?.length === 0)
    place.at('collections').refuse('is empty', 'Name the collections, or remove the key to replicate the default one.');
  if (item.collections && (item.channels || item.docIds))
    place.refuse('has channels or doc_ids beside collections', 'Put them inside the collections object.');
}

function checkRemote(text: string, place: Place): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || url.hostname === '' || url.pathname.length < 2)
    place.refuse('is not the URL of a database', 'Write it as wss://host:4984/database.');
}
