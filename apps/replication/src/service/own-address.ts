import { networkInterfaces } from 'node:os';

const WILDCARDS = ['0.0.0.0', '::'];

/**
 * Where other boxes or containers reach a port of this one: the address it is bound to, or else the first IPv4 address
 * of the machine that is not loopback.
 */
export function ownAddress(boundTo: string): string {
  if (!WILDCARDS.includes(boundTo)) return boundTo;
  const addresses = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}
