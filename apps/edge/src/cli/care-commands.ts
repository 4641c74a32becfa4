import type { BundleFacts } from '@edgesync/storage-sqlite';
import { count, megabytes } from './amounts.js';
import { DONE, DONE_WITH_LOSSES } from './exit-codes.js';
import type { CommandLineIo } from './main.js';

/** The lines of `--info`. */
export function describeFacts(path: string, facts: BundleFacts): string {
  const { kind, uuid, version, fileBytes, logBytes, freeBytes, blobs, blobBytes, collections, holder } = facts;
  const free = freeBytes === undefined ? '' : `, ${megabytes(freeBytes)} of it free`;
  return [
    `${path}: ${kind === 'edgesync' ? 'a database of edgesync' : 'a Couchbase Lite database; --import makes a database of edgesync of it'}`,
    `  UUID      ${uuid ?? 'none until it is opened'}`,
    `  version   ${version}`,
    `  file      ${megabytes(fileBytes)}${free}, and a log of ${megabytes(logBytes)}`,
    `  blobs     ${blobs}, ${megabytes(blobBytes)}`,
    ...(kind === 'edgesync'
      ? [
          `  open      ${holder ? `in process ${holder.pid ?? '?'} on ${holder.host ?? '?'}, since ${holder.since ?? '?'}` : 'nowhere'}`,
        ]
      : []),
    ...collections.map(
      ({ name, documents, tombstones, lastSequence }) =>
        `  ${name}: ${count(documents, 'document')}, ${count(tombstones, 'tombstone')}, last sequence ${lastSequence}`,
    ),
  ].join('\n');
}

/** `--check`. @returns the exit code */
export function reportCheck(path: string, faults: readonly string[], io: CommandLineIo): number {
  io.out(faults.length === 0 ? `${path} is sound` : `${path} is damaged; restore it from a backup:`);
  for (const fault of faults) io.out(`  ${fault}`);
  return faults.length === 0 ? DONE : DONE_WITH_LOSSES;
}
