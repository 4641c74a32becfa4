import type { ListenAddress } from './edge-config.js';

export const DEFAULT_LISTEN_ADDRESS: ListenAddress = { host: '0.0.0.0', port: 59840 };

const HOST_AND_PORT = /^(\[[0-9A-Fa-f:.]+\]|localhost|\d{1,3}(?:\.\d{1,3}){3})?(?::(\d{1,9}))?$/;

export const LISTEN_ADDRESS = {
  pattern: HOST_AND_PORT,
  expects: '"IP:port", "IP" or ":port", with an IPv6 address in brackets: "[::1]:59840"',
  visible: true,
};

/**
 * Reads the `interface` key: `IP:port`, `IP` or `:port`; a missing half has its default. Port 0 lets the system choose.
 * @returns why not, as the rest of a sentence, if it is no address
 */
export function parseListenAddress(text: string): ListenAddress | string {
  const match = HOST_AND_PORT.exec(text);
  if (!match) return `is ${JSON.stringify(text)}`;
  const [, host = DEFAULT_LISTEN_ADDRESS.host, port = DEFAULT_LISTEN_ADDRESS.port] = match;
  if (Number(port) > 65535) return `has the port ${port}, and ports end at 65535`;
  if (host.startsWith('[')) {
    if (!URL.canParse(`http://${host}/`)) return `has the host ${host}, which is no IPv6 address`;
    return { host: host.slice(1, -1), port: Number(port) };
  }
  if (host !== 'localhost' && host.split('.').some((part) => Number(part) > 255))
    return `has the host ${host}, which is no IPv4 address`;
  return { host, port: Number(port) };
}
