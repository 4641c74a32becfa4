import type { ServerResponse } from 'node:http';

/** What stands for the status if the client went away before there was one: as other servers log it. */
export const CLIENT_GONE = 499;

/** The status that the client got. */
export const sentStatus = (response: ServerResponse): number =>
  response.headersSent ? response.statusCode : CLIENT_GONE;
