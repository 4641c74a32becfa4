import { Query, type PipeTransform } from '@nestjs/common';
import { checkParameters, NO_PARAMETERS, type QueryParameters } from '../http/query-string.js';
import { readParameters } from './read-parameters.js';

/** Reads the URL's parameters into a class. A URL without any costs nothing. */
class QueryPipe<T extends object> implements PipeTransform<QueryParameters, T> {
  private readonly none: T;

  constructor(private readonly type: new () => T) {
    this.none = Object.freeze(new type());
  }

  transform(query: QueryParameters): T {
    return query === NO_PARAMETERS ? this.none : readParameters(this.type, checkParameters(query));
  }
}

/** Hands a handler the URL's parameters as an object of the class. */
export const UrlParameters = (type: new () => object): ParameterDecorator => Query(new QueryPipe(type));
