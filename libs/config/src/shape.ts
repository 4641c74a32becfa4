import { didYouMean } from './did-you-mean.js';
import { memberPath, type ConfigIssue } from './config-issue.js';
import type { ReplicationConfig } from './edge-config.js';
import type { JsonSchema } from './json-schema.js';

/** Marks a value that could not be read; its issues are in the report. */
export const INVALID = Symbol('invalid');
export type Invalid = typeof INVALID;

/** Something on the machine that the configuration names and that must be there at the start. */
export type Need =
  | { readonly kind: 'directory'; readonly key: string; readonly path: string }
  | { readonly kind: 'users'; readonly key: string; readonly path: string }
  | { readonly kind: 'database'; readonly key: string; readonly path: string; readonly create: boolean }
  | { readonly kind: 'https'; readonly key: string; readonly paths: Readonly<Record<string, string>> }
  | { readonly kind: 'replication'; readonly key: string; readonly definition: ReplicationConfig };

/** Findings in a file. Issues stop the server, warnings do not. */
export class Report {
  readonly issues: ConfigIssue[] = [];
  readonly warnings: ConfigIssue[] = [];
  /** Also what an invalid configuration names, so that everything can be checked at once. Paths are as written. */
  readonly needs: Need[] = [];

  constructor(readonly file: string) {}

  get root(): Place {
    return new Place(this, '');
  }
}

/** Where in the file a value is. */
export class Place {
  constructor(
    private readonly report: Report,
    readonly path: string,
  ) {}

  at(key: string | number): Place {
    return new Place(this.report, typeof key === 'number' ? `${this.path}[${key}]` : memberPath(this.path, key));
  }

  refuse(problem: string, fix: string): Invalid {
    this.report.issues.push({ file: this.report.file, path: this.path, problem, fix });
    return INVALID;
  }

  warn(problem: string, fix: string): void {
    this.report.warnings.push({ file: this.report.file, path: this.path, problem, fix });
  }

  need(need: Need): void {
    this.report.needs.push(need);
  }
}

type Kind = 'boolean' | 'string' | 'number' | 'array' | 'object';

/** The shape of a JSON value: reads it into a `T`, and describes itself as JSON schema. */
export interface Shape<T> {
  readonly kind: Kind | readonly Kind[];
  /** Completes "It must be …". */
  readonly expects: string;
  readonly json: JsonSchema;
  read(value: unknown, place: Place): T | Invalid;
}

export type ReadBy<S> = S extends Shape<infer T> ? T : never;

export function boolean(): Shape<boolean> {
  return {
    kind: 'boolean',
    expects: 'true or false',
    json: { type: 'boolean' },
    read: (value, place) => (typeof value === 'boolean' ? value : wrongKind(value, 'true or false', place)),
  };
}

/** The form of a string: `expects` says in words what `pattern` matches. Messages quote a value only if it is `visible`. */
export interface TextRule {
  readonly pattern: RegExp;
  readonly expects: string;
  readonly visible?: boolean;
}

export function text(rule?: TextRule): Shape<string> {
  const expects = rule?.expects ?? 'a string';
  return {
    kind: 'string',
    expects,
    json: { type: 'string', ...(rule && { pattern: rule.pattern.source }) },
    read(value, place) {
      if (typeof value !== 'string') return wrongKind(value, expects, place);
      if (!rule || rule.pattern.test(value)) return value;
      return place.refuse(
        rule.visible ? `is ${JSON.stringify(value)}` : 'has the wrong form',
        `It must be ${expects}.`,
      );
    },
  };
}

export function oneOf<const T extends string>(values: readonly T[]): Shape<T> {
  const quoted = values.map((value) => JSON.stringify(value));
  const expects = quoted.length === 1 ? quoted[0]! : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
  return {
    kind: 'string',
    expects,
    json: { enum: values },
    read(value, place) {
      if (typeof value !== 'string') return wrongKind(value, expects, place);
      if ((values as readonly string[]).includes(value)) return value as T;
      const meant = didYouMean(value, values);
      const hint = meant === undefined ? '' : `Did you mean ${JSON.stringify(meant)}? `;
      return place.refuse(`is ${JSON.stringify(value)}`, `${hint}It must be ${expects}.`);
    },
  };
}

export function integer({ min, max }: { min: number; max?: number }): Shape<number> {
  const expects = max === undefined ? `an integer, at least ${min}` : `an integer from ${min} to ${max}`;
  return {
    kind: 'number',
    expects,
    json: { type: 'integer', minimum: min, ...(max !== undefined && { maximum: max }) },
    read(value, place) {
      if (typeof value !== 'number') return wrongKind(value, expects, place);
      if (Number.isSafeInteger(value) && value >= min && value <= (max ?? Infinity)) return value;
      return place.refuse(`is ${value}`, `It must be ${expects}.`);
    },
  };
}

export function list<T>(item: Shape<T>): Shape<T[]> {
  return {
    kind: 'array',
    expects: 'a list in [ ]',
    json: { type: 'array', items: item.json },
    read(value, place) {
      if (!Array.isArray(value)) return wrongKind(value, 'a list in [ ]', place);
      return allOrInvalid(value.map((entry, index) => item.read(entry, place.at(index))));
    },
  };
}

/** An object whose keys the operator chooses. */
export function dictionary<T>(item: Shape<T>, keys: TextRule): Shape<Map<string, T>> {
  return {
    kind: 'object',
    expects: 'an object in { }',
    json: { type: 'object', additionalProperties: item.json, propertyNames: { pattern: keys.pattern.source } },
    read(value, place) {
      if (!isObject(value)) return wrongKind(value, 'an object in { }', place);
      const entries = Object.entries(value).map(([key, member]): [string, T] | Invalid => {
        const read = item.read(member, place.at(key));
        if (!keys.pattern.test(key)) return place.at(key).refuse('is not a valid name', `It must be ${keys.expects}.`);
        return read === INVALID ? INVALID : [key, read];
      });
      const sound = allOrInvalid(entries);
      return sound === INVALID ? INVALID : new Map(sound);
    },
  };
}

/** A member of an object with fixed keys. */
export interface Member<T> {
  readonly shape: Shape<unknown>;
  readonly description: string;
  readonly required: boolean;
  readonly fallback: T | undefined;
  readonly documentedDefault?: unknown;
}

export function required<T>(shape: Shape<T>, description: string): Member<T> {
  return { shape, description, required: true, fallback: undefined };
}

export function optional<T>(shape: Shape<T>, description: string): Member<T | undefined> {
  return { shape, description, required: false, fallback: undefined };
}

/** A key that may be left out: then it reads as `fallback`, which the JSON schema shows as `documented` where they differ. */
export function defaulted<T>(
  shape: Shape<T>,
  fallback: T,
  description: string,
  documented: unknown = fallback,
): Member<T> {
  return { shape, description, required: false, fallback, documentedDefault: documented };
}

type Members = Readonly<Record<string, Member<unknown>>>;
type ReadMembers<M extends Members> = { [K in keyof M]: M[K] extends Member<infer T> ? T : never };

/** An object that has these keys and no others. */
export function object<M extends Members>(members: M): Shape<ReadMembers<M>> {
  const known = Object.keys(members);
  const properties = known.map((key) => [key, describeMember(members[key]!)] as const);
  return {
    kind: 'object',
    expects: 'an object in { }',
    json: {
      type: 'object',
      properties: Object.fromEntries(properties),
      ...(known.some((key) => members[key]!.required) && { required: known.filter((key) => members[key]!.required) }),
      additionalProperties: false,
    },
    read(value, place) {
      if (!isObject(value)) return wrongKind(value, 'an object in { }', place);
      let invalid = false;
      for (const key of Object.keys(value))
        if (!Object.hasOwn(members, key)) {
          refuseUnknownKey(key, known, value, place);
          invalid = true;
        }
      const result: Record<string, unknown> = {};
      for (const key of known) {
        const member = members[key]!;
        if (Object.hasOwn(value, key)) result[key] = member.shape.read(value[key], place.at(key));
        else if (member.required) result[key] = place.at(key).refuse('is missing', `Add it: ${member.description}`);
        else result[key] = member.fallback;
        invalid ||= result[key] === INVALID;
      }
      return invalid ? INVALID : (result as ReadMembers<M>);
    },
  };
}

/** A value that may come as different JSON kinds, each kind with its own shape. */
export function either<A, B>(first: Shape<A>, second: Shape<B>): Shape<A | B> {
  const expects = `${first.expects}, or ${second.expects}`;
  return {
    kind: [first.kind, second.kind].flat(),
    expects,
    json: { anyOf: [first.json, second.json] },
    read(value, place) {
      for (const shape of [first, second])
        if ([shape.kind].flat().includes(kindOf(value))) return shape.read(value, place);
      return wrongKind(value, expects, place);
    },
  };
}

/** Reads by `shape` and reports what the value as written needs of the machine, valid or not. */
export function needing<T>(shape: Shape<T>, report: (written: unknown, place: Place) => void): Shape<T> {
  return {
    ...shape,
    read(value, place) {
      report(value, place);
      return shape.read(value, place);
    },
  };
}

/** Reads by `shape` and goes on with a further check or a conversion. */
export function mapped<T, U>(shape: Shape<T>, convert: (value: T, place: Place) => U | Invalid): Shape<U> {
  return {
    ...shape,
    read(value, place) {
      const read = shape.read(value, place);
      return read === INVALID ? INVALID : convert(read, place);
    },
  };
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a value can be the path of a file. */
export function isPath(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function kindOf(value: unknown): Kind {
  return Array.isArray(value) ? 'array' : (typeof value as Kind);
}

function wrongKind(value: unknown, expects: string, place: Place): Invalid {
  const names: Record<string, string> = { boolean: 'is true or false', string: 'is a string', number: 'is a number' };
  const problem =
    value === null ? 'is null' : (names[typeof value] ?? (Array.isArray(value) ? 'is a list' : 'is an object'));
  const quoted = typeof value === 'string' && /^(true|false|\d+)$/.test(value) && /^(true or|an integer)/.test(expects);
  return place.refuse(problem, quoted ? `Write ${value} without quotes.` : `It must be ${expects}.`);
}

function refuseUnknownKey(key: string, known: readonly string[], value: object, place: Place): void {
  const unused = known.filter((candidate) => !Object.hasOwn(value, candidate));
  const meant = didYouMean(key, unused);
  const fix =
    meant !== undefined
      ? `Did you mean "${meant}"?`
      : known.length === 0
        ? 'No keys are known here; write { }.'
        : `Known here: ${known.join(', ')}.`;
  place.at(key).refuse('is not a known key', fix);
}

function describeMember({ shape, description, documentedDefault }: Member<unknown>): JsonSchema {
  return { description, ...shape.json, ...(documentedDefault !== undefined && { default: documentedDefault }) };
}

function allOrInvalid<T>(values: (T | Invalid)[]): T[] | Invalid {
  return values.includes(INVALID) ? INVALID : (values as T[]);
}
