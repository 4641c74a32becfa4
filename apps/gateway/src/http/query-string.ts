import { EdgeError } from '@edgesync/errors';

/** Parameters of a URL by name. Of a repeated parameter the first one counts. */
export type QueryParameters = Readonly<Record<string, string>>;

/** The parameters of a URL without any: one shared object, so that handlers recognise it at no cost. */
export const NO_PARAMETERS: QueryParameters = Object.freeze(Object.create(null) as Record<string, string>);

/** The parameters of a URL with malformed percent-encoding; {@link checkParameters} refuses it. */
const MALFORMED: QueryParameters = Object.freeze(Object.create(null) as Record<string, string>);

/** Parses the part after `?`. Never throws: the router calls it before error handling is in place. */
export function parseQueryString(text: string): QueryParameters {
  if (text === '') return NO_PARAMETERS;
  const parameters = Object.create(null) as Record<string, string>;
  try {
    for (const pair of text.split('&')) {
      if (pair === '') continue;
      const equals = pair.indexOf('=');
      const name = decode(equals < 0 ? pair : pair.slice(0, equals));
      if (name in parameters) continue;
      parameters[name] = equals < 0 ? '' : decode(pair.slice(equals + 1));
    }
  } catch {
    return MALFORMED;
  }
  return parameters;
}

/**
 * Returns the parameters.
 * @throws EdgeError `request.parameter` if their percent-encoding is malformed or not UTF-8
 */
export function checkParameters(parameters: QueryParameters): QueryParameters {
  if (parameters === MALFORMED)
    throw new EdgeError('request.parameter', 'the query string is not percent-encoded UTF-8');
  return parameters;
}

function decode(text: string): string {
  return decodeURIComponent(text.includes('+') ? text.replaceAll('+', ' ') : text);
}
