import type { ServerResponse } from 'node:http';

/** Stands for the status if the client went away before there was one, as in the logs of other servers. */
export const CLIENT_GONE = 499;

/** The status that the client got. */
export const sentStatus = (response: ServerResponse): number =>
  response.headersSent ? response.statusCode : CLIENT_GONE;
