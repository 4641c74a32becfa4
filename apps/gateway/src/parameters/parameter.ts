import { ArrayMaxSize, IsArray, IsBoolean, IsIn, IsInt, IsOptional, IsString, Max, Min } from 'class-validator';

/** How a parameter is read from text (URL) or JSON (body). */
export type ParameterKind = 'flag' | 'integer' | 'word-or-integer' | 'word' | 'text' | 'quoted-text' | 'texts' | 'list';

export interface Parameter {
  readonly name: string;
  readonly kind: ParameterKind;
  readonly description: string;
  readonly minimum?: number;
  readonly maximum?: number;
  /** What a parameter that takes words may say. */
  readonly words?: readonly string[];
}

const parameters = new WeakMap<object, Parameter[]>();

/** The parameters that a class declares or inherits. */
export function parametersOf(type: abstract new () => object): readonly Parameter[] {
  const found: Parameter[] = [];
  for (
    let prototype = type.prototype as object | null;
    prototype;
    prototype = Object.getPrototypeOf(prototype) as object | null
  )
    found.push(...(parameters.get(prototype) ?? []));
  return found;
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

/** A boolean: present (even empty) and neither `false` nor `0` means true (docs/protocol/rest.md#parameters). */
export const Flag = (description: string): PropertyDecorator => declare('flag', description, [IsBoolean()]);

/** A whole number. */
export const Integer = (
  description: string,
  { minimum = 0, maximum = Number.MAX_SAFE_INTEGER }: { minimum?: number; maximum?: number } = {},
): PropertyDecorator => declare('integer', description, [IsInt(), Min(minimum), Max(maximum)], { minimum, maximum });

export const Text = (description: string): PropertyDecorator => declare('text', description, [IsString()]);

/** A string that CouchDB's clients write as JSON, in quotes: these are no part of it. */
export const QuotedText = (description: string): PropertyDecorator => declare('quoted-text', description, [IsString()]);

/** A list of strings: a JSON array, in a URL as its text. */
export const Texts = (description: string): PropertyDecorator =>
  declare('texts', description, [IsArray(), IsString({ each: true })]);

/** A list of strings as clients send it: a JSON array, its text, or the strings with commas between them. */
export const List = (description: string, { most }: { most: number }): PropertyDecorator =>
  declare('list', description, [IsArray(), IsString({ each: true }), ArrayMaxSize(most)]);

/** One of some words. */
export const Word = (description: string, words: readonly string[]): PropertyDecorator =>
  declare('word', description, [IsIn(words)], { words });

/** A whole number, or one of some words. */
export const WordOrInteger = (
  description: string,
  words: readonly string[],
  { minimum = 0 }: { minimum?: number } = {},
): PropertyDecorator => declare('word-or-integer', description, [], { words, minimum });

function declare(
  kind: ParameterKind,
  description: string,
  checks: readonly PropertyDecorator[],
  limits: Pick<Parameter, 'minimum' | 'maximum' | 'words'> = {},
): PropertyDecorator {
  return (prototype, name) => {
    IsOptional()(prototype, name);
    for (const check of checks) check(prototype, name);
    const list = parameters.get(prototype) ?? [];
    parameters.set(prototype, [...list, { name: String(name), kind, description, ...limits }]);
  };
}
