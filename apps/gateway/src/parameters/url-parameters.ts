import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { GatewayRequest } from '../http/gateway-request.js';
import { checkParameters, NO_PARAMETERS, type QueryParameters } from '../http/query-string.js';
import { readParameters } from './read-parameters.js';

/**
 * Hands a handler the URL's parameters as an object of the class; a URL without any costs nothing. Not a pipe: Nest
 * waits for pipes, with four promises per request.
 */
export const UrlParameters = (type: new () => object): ParameterDecorator => {
  const none = Object.freeze(new type());
  const read = createParamDecorator((_data: undefined, context: ExecutionContext): object => {
    const query = context.getArgByIndex<GatewayRequest>(0).query as QueryParameters;
    return query === NO_PARAMETERS ? none : readParameters(type, checkParameters(query));
  });
  return read();
};
