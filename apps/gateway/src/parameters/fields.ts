import { applyDecorators } from '@nestjs/common';
import { Expose, Transform } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Max,
  Min,
  ValidateBy,
} from 'class-validator';
import { JSONSchema } from 'class-validator-jsonschema';

/*
 * The members of the classes of parameters. Each decorator says how a value is read from the text of a URL or the JSON of a
 * body (class-transformer), what it may be (class-validator), and what the manual says of it.
 */

type Schema = Parameters<typeof JSONSchema>[0];

function field(
  description: string,
  read: (value: unknown) => unknown,
  checks: readonly PropertyDecorator[],
  schema: Schema = {},
): PropertyDecorator {
  return applyDecorators(
    Expose(),
    Transform(({ value }: { value: unknown }) => read(value)),
    IsOptional(),
    ...checks,
    JSONSchema({ description, ...schema }),
  );
}

const SPELLING = 'Absent, `false` and `0` mean no, in this spelling; anything else means yes, `False` and nothing too.';

/** A boolean: present (even empty) and neither `false` nor `0` means true (docs/protocol/rest.md). */
export const Flag = (description: string): PropertyDecorator =>
  field(`${description} ${SPELLING}`, isYes, [IsBoolean()]);

/** Whether a flag with this value is set; undefined if it is absent. */
export const isYes = (value: unknown): boolean | undefined =>
  value === undefined ? undefined : value !== false && value !== 'false' && value !== 0 && value !== '0';

interface Limits {
  readonly minimum?: number;
  readonly maximum?: number;
}

/** A whole number. Any other text is refused, not replaced by the default. */
export const Integer = (
  description: string,
  { minimum = 0, maximum = Number.MAX_SAFE_INTEGER }: Limits = {},
): PropertyDecorator =>
  field(description, integer, [IsInt({ message: '$property must be a whole number' }), Min(minimum), Max(maximum)]);

export const Text = (description: string): PropertyDecorator => field(description, asIs, [IsString()]);

/** A string that CouchDB's clients write as JSON, in quotes: these are no part of it. */
export const QuotedText = (description: string): PropertyDecorator =>
  field(description, (value) => (isText(value) && value.startsWith('"') ? parsed(value) : value), [IsString()]);

const LIST = '$property must be an array of strings';

/** A list of strings: a JSON array, in a URL as its text. */
export const Texts = (description: string): PropertyDecorator =>
  field(description, parsed, [IsArray({ message: LIST }), IsString({ each: true, message: LIST })]);

/** A list of strings as clients send it: a JSON array, its text, or the strings with commas between them. */
export const List = (description: string, { most }: { most: number }): PropertyDecorator =>
  field(description, list, [IsArray({ message: LIST }), IsString({ each: true, message: LIST }), ArrayMaxSize(most)]);

/** One of some words. */
export const Word = (description: string, words: readonly string[]): PropertyDecorator =>
  field(description, asIs, [IsIn(words)]);

/** A whole number, or one of some words. */
export function WordOrInteger(
  description: string,
  words: readonly string[],
  { minimum = 0 }: Limits = {},
): PropertyDecorator {
  const read = (value: unknown): unknown => words.find((word) => word === String(value)) ?? integer(value);
  const validate = (value: unknown): boolean =>
    words.includes(value as string) || (Number.isSafeInteger(value) && (value as number) >= minimum);
  const defaultMessage = (): string => `$property must be ${words.join(', ')} or a whole number`;
  return field(description, read, [ValidateBy({ name: 'isWordOrInteger', validator: { validate, defaultMessage } })], {
    anyOf: [{ type: 'integer', minimum }, { enum: [...words] }],
  });
}

const unsupported = new WeakMap<object, readonly string[]>();

/**
 * Names parameters that clients of related servers send and that would change the reply: they are refused, as long as they
 * ask for something.
 */
export const Unsupported =
  (...names: readonly string[]): ClassDecorator =>
  (type) => {
    unsupported.set(type, names);
  };

/** The names that {@link Unsupported} gives a class. */
export const unsupportedBy = (type: object): readonly string[] => unsupported.get(type) ?? [];

const isText = (value: unknown): value is string => typeof value === 'string';

const asIs = (value: unknown): unknown => value;

const integer = (value: unknown): unknown => (isText(value) && /^-?\d{1,16}$/.test(value) ? Number(value) : value);

function list(value: unknown): unknown {
  if (!isText(value) || value.trimStart().startsWith('[')) return parsed(value);
  return value === '' ? [] : value.split(',').map((one) => one.trim());
}

/** The value of JSON text; other values, and text that is no JSON, stay as they are. */
function parsed(value: unknown): unknown {
  if (!isText(value)) return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}
