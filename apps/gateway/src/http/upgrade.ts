import type { IncomingMessage } from 'node:http';

/**
 * Whether the request asks for a WebSocket. Other protocols (HTTP clients offer `h2c` on every first request) may be
 * ignored and are (RFC 9110, 7.8).
 */
export function asksForWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade !== undefined && headers.upgrade.toLowerCase().includes('websocket');
}
