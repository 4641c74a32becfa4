import { describeQueryContract, describeStorageContract } from '@edgesync/ports/testing';
import { openTestStorage } from './testing/test-storage.js';

describeStorageContract('SQLite', openTestStorage);
describeQueryContract('SQLite', openTestStorage);
