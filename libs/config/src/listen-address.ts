import type { ListenAddress } from './edge-config.js';

export const DEFAULT_LISTEN_ADDRESS: ListenAddress = { host: '0.0.0.0', port: 59840 };

const HOST_AND_PORT = /^(\[[0-9A-Fa-f:.]+\]|localhost|\d{1,3}(?:\.\d{1,3}){3})?(?::(\d{1,5}))?$/;

export const LISTEN_ADDRESS = {
  pattern: HOST_AND_PORT,
  expects: '"IP:port", "IP" or ":port", with an IPv6 address in brackets: "[::1]:59840"',
  visible: true,
};

/**
 * Reads the `interface` key (ref 3.2): `IP:port`, `IP` or `:port`; each half left out has its default. Port 0 lets the
 * system choose.
 * @returns undefined if it is no address
 */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const match = HOST_AND_PORT.exec(text);
  if (!match) return undefined;
  const [, host = DEFAULT_LISTEN_ADDRESS.host, port = DEFAULT_LISTEN_ADDRESS.port] = match;
  if (Number(port) > 65535) return undefined;
  if (host.startsWith('[')) {
    if (!URL.canParse(`http://${host}/`)) return undefined;
    return { host: host.slice(1, -1), port: Number(port) };
  }
  if (host !== 'localhost' && host.split('.').some((part) => Number(part) > 255)) return undefined;
  return { host, port: Number(port) };
}
