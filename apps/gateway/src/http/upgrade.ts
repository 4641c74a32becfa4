import type { IncomingMessage } from 'node:http';

const SYNC_PATH = /^\/[^/_?#][^/?#]*\/_blipsync\/?(?:[?#]|$)/;

/** Whether the URL is that of the replication protocol, `/{db}/_blipsync` (ref 6.17). */
export const isSyncPath = (url: string | undefined): boolean => url !== undefined && SYNC_PATH.test(url);

/**
 * Whether the request asks for a WebSocket. Other protocols (HTTP clients offer `h2c` on every first request) may be
 * ignored and are (RFC 9110, 7.8).
 */
export function asksForWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade !== undefined && headers.upgrade.toLowerCase().includes('websocket');
}
