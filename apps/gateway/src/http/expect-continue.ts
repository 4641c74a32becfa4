import type { IncomingMessage, Server, ServerResponse } from 'node:http';

const waiting = new WeakMap<IncomingMessage, ServerResponse>();

/**
 * A client that sends `Expect: 100-continue` gets the 100 only when its body is about to be read: one that is
 * refused (401, 403, 409, 413) does not upload for nothing.
 */
export function deferContinue(server: Server): void {
  server.on('checkContinue', (message: IncomingMessage, response: ServerResponse) => {
    waiting.set(message, response);
    server.emit('request', message, response);
  });
  // Other expectations may be ignored (RFC 9110, 10.1.1); Node would answer them past everything that is here.
  server.on('checkExpectation', (message: IncomingMessage, response: ServerResponse) => {
    server.emit('request', message, response);
  });
}

/** Lets the client send its body, if it waits for that. */
export function allowBody(message: IncomingMessage): void {
  if (message.headers.expect === undefined) return;
  waiting.get(message)?.writeContinue();
  waiting.delete(message);
}
