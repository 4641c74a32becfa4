import { STATUS_CODES } from 'node:http';

/** Texts that differ from the registered ones (docs/protocol/rest.md#conventions). */
const OWN: Readonly<Record<number, string>> = { 400: 'Invalid Request' };

/** The `error` member of an error body. */
export function statusText(status: number): string {
  return OWN[status] ?? STATUS_CODES[status] ?? 'Error';
}
