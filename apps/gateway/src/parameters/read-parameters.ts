import { validateSync } from 'class-validator';
import { EdgeError } from '@edgesync/errors';
import { parametersOf, unsupportedBy, type Parameter } from './parameter.js';

type ParametersClass<T extends object> = new () => T;

/**
 * Reads declared parameters from the texts of a URL or the values of a JSON body. Names without a meaning are ignored; null is absent.
 * @throws EdgeError `request.parameter`
 */
export function readParameters<T extends object>(
  type: ParametersClass<T>,
  values: Readonly<Record<string, unknown>>,
): T {
  refuseUnsupported(type, values);
  const result = new type();
  for (const parameter of parametersOf(type)) {
    const value = values[parameter.name];
    if (value === undefined || value === null) continue;
    (result as Record<string, unknown>)[parameter.name] = read(parameter, value);
  }
  const [fault] = validateSync(result, { stopAtFirstError: true });
  if (fault)
    throw new EdgeError(
      'request.parameter',
      Object.values(fault.constraints ?? {})[0] ?? `${fault.property} is invalid`,
    );
  return result;
}

/** @throws EdgeError `request.parameter` */
function refuseUnsupported(type: object, values: Readonly<Record<string, unknown>>): void {
  for (const name of unsupportedBy(type)) {
    const value = values[name];
    if (value !== undefined && value !== null && readFlag(value))
      throw new EdgeError('request.parameter', `the parameter ${name} is not supported`);
  }
}

function read(parameter: Parameter, value: unknown): unknown {
  switch (parameter.kind) {
    case 'flag':
      return readFlag(value);
    case 'integer':
      return readInteger(parameter.name, value);
    case 'texts':
      return readTexts(parameter.name, value);
    case 'list':
      return readList(parameter.name, value);
    case 'word-or-integer':
      return readWordOrInteger(parameter, value);
    case 'quoted-text':
      return readQuotedText(value);
    case 'word':
    case 'text':
      return value;
  }
}

const readFlag = (value: unknown): boolean => value !== false && value !== 'false' && value !== 0 && value !== '0';

function readQuotedText(value: unknown): unknown {
  if (typeof value !== 'string' || !value.startsWith('"')) return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

/** Text that is not a whole number is refused, not replaced by the default (docs/protocol/rest.md#parameters). */
function readInteger(name: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  if (!/^-?\d{1,16}$/.test(value)) throw new EdgeError('request.parameter', `${name} must be a whole number`);
  return Number(value);
}

function readWordOrInteger({ name, words = [], minimum = 0 }: Parameter, value: unknown): string | number {
  const word = words.find((one) => one === String(value));
  if (word !== undefined) return word;
  const number = readInteger(name, value);
  if (!Number.isSafeInteger(number) || (number as number) < minimum)
    throw new EdgeError('request.parameter', `${name} must be ${words.join(', ')} or a whole number`);
  return number as number;
}

function readList(name: string, value: unknown): unknown {
  if (typeof value !== 'string' || value.trimStart().startsWith('[')) return readTexts(name, value);
  return value === '' ? [] : value.split(',').map((one) => one.trim());
}

function readTexts(name: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    throw new EdgeError('request.parameter', `${name} must be a JSON array of strings`);
  }
}
