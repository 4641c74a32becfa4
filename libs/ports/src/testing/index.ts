import { afterEach, beforeEach, describe } from 'vitest';
import { describeBlobs } from './blobs-contract.js';
import { describeCatalog } from './catalog-contract.js';
import { describeChanges } from './changes-contract.js';
import { describeCheckpoints } from './checkpoints-contract.js';
import { describeDurability } from './durability-contract.js';
import { describeEdits } from './edits-contract.js';
import { describeExpiry } from './expiry-contract.js';
import { describeList } from './list-contract.js';
import { describePurges } from './purges-contract.js';
import { describeReads } from './reads-contract.js';
import { describeRevisions } from './revisions-contract.js';
import { SETUP, type OpenStorage, type StorageUnderTest } from './storage-under-test.js';

export * from './queries-contract.js';
export * from './requests.js';
export * from './storage-under-test.js';

/** The contract of the storage ports, for every implementation, whatever lies between the caller and the files. */
export function describeStorageContract(name: string, open: OpenStorage): void {
  describe(`the storage contract on ${name}`, () => {
    let subject: StorageUnderTest;
    beforeEach(async () => {
      subject = await open(SETUP);
    });
    afterEach(() => subject.close());
    const under = (): StorageUnderTest => subject;

    describe('edits', () => describeEdits(under));
    describe('revisions made elsewhere', () => describeRevisions(under));
    describe('purges', () => describePurges(under));
    describe('reads', () => describeReads(under));
    describe('list', () => describeList(under));
    describe('changes', () => describeChanges(under));
    describe('expiry', () => describeExpiry(under));
    describe('blobs', () => describeBlobs(under));
    describe('checkpoints', () => describeCheckpoints(under));
    describe('catalog', () => describeCatalog(under));
    describe('durability', () => describeDurability(under));
  });
}
export { describeReplicationRecords, type OpenRecords } from './replication-records-contract.js';
