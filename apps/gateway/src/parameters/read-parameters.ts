import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { EdgeError } from '@edgesync/errors';
import type { GatewayRequest } from '../http/gateway-request.js';
import { checkParameters, NO_PARAMETERS, type QueryParameters } from '../http/query-string.js';
import { readText } from '../http/request-body.js';
import { isYes, unsupportedBy } from './fields.js';

type Values = Readonly<Record<string, unknown>>;
/** A class whose members are declared with `fields.ts`. */
type ParametersClass<T extends object> = new () => T;

/**
 * Hands a handler the URL's parameters as an object of the class; a URL without any costs nothing. Not a pipe: Nest waits
 * for pipes, with two promises per request.
 */
export const UrlParameters = (type: ParametersClass<object>): ParameterDecorator => {
  const none = Object.freeze(new type());
  const read = createParamDecorator((_data: undefined, context: ExecutionContext): object => {
    const query = context.getArgByIndex<GatewayRequest>(0).query as QueryParameters;
    return query === NO_PARAMETERS ? none : readParameters(type, checkParameters(query));
  });
  return read();
};

/**
 * The parameters that a POST has in its body and its URL, as they were given; the body goes before the URL.
 * @throws EdgeError `request.json`, `request.invalid` if the body is no object, `request.parameter`
 */
export async function givenParameters(request: GatewayRequest): Promise<Values> {
  const inUrl = checkParameters(request.query as QueryParameters);
  return { ...inUrl, ...parseObject(await readText(request)) };
}

/**
 * Reads the parameters that a class declares from the texts of a URL or the values of a JSON body. Names without a meaning
 * are ignored; null is absent.
 * @throws EdgeError `request.parameter`
 */
export function readParameters<T extends object>(type: ParametersClass<T>, values: Values): T {
  refuseUnsupported(type, values);
  const given = Object.fromEntries(Object.entries(values).flatMap(flatten));
  const result = plainToInstance(type, given, { excludeExtraneousValues: true, exposeDefaultValues: true });
  const [issue] = validateSync(result, { stopAtFirstError: true });
  if (issue) {
    const [reason = `${issue.property} is invalid`] = Object.values(issue.constraints ?? {});
    throw new EdgeError('request.parameter', reason);
  }
  return result;
}

/** @throws EdgeError `request.parameter` */
function refuseUnsupported(type: object, values: Values): void {
  const name = unsupportedBy(type).find((one) => values[one] !== null && isYes(values[one]));
  if (name !== undefined) throw new EdgeError('request.parameter', `the parameter ${name} is not supported`);
}

/**
 * No parameter is deeper than a list, and class-transformer follows values as deep as they are: what lies deeper becomes
 * something that no check lets pass.
 */
function flatten([name, value]: [string, unknown]): [name: string, value: unknown][] {
  if (value === null) return [];
  if (Array.isArray(value)) return [[name, value.map((item: unknown) => (typeof item === 'object' ? NaN : item))]];
  return [[name, typeof value === 'object' ? NaN : value]];
}

/**
 * Reads a body that carries parameters. Of a repeated name the last one counts, as usual in JSON; no name means anything
 * beyond itself.
 * @throws EdgeError `request.json`, `request.invalid` if it is no object
 */
function parseObject(text: string): Values {
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new EdgeError('request.invalid', 'the body must be a JSON object');
  return value as Values;
}

/** @throws EdgeError `request.json` */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new EdgeError('request.json');
  }
}
