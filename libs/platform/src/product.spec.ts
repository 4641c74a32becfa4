import { expect, it } from 'vitest';
import { SERVER_HEADER, SERVER_INFO, VERSION } from './product.js';

it('names the product so that clients can parse it', () => {
  expect(VERSION).toMatch(/^\d+\.\d+\.\d+$/);
  expect(SERVER_HEADER).toBe('CouchbaseEdgeServer/1.1.0');
  expect(SERVER_INFO.vendor).toEqual({ name: 'Couchbase Edge Server', version: '1.1.0 (1; edgesync)' });
  const grammar = /^\d+\.\d+\.\d+ \(\d+; \w*\)$/;
  const { version } = SERVER_INFO;
  expect(version.slice(version.indexOf('/') + 1)).toMatch(grammar);
  expect(version.slice(version.lastIndexOf('/') + 1)).toMatch(grammar);
});
