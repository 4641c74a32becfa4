import { EdgeError } from '@edgesync/errors';
import * as v from 'valibot';

/*
 * Shapes of metadata. A schema is the one declaration of a payload: it gives the type, and it checks what arrives.
 * Members that it does not name are dropped.
 */

export {
  array,
  boolean as flag,
  literal,
  nullable,
  object,
  picklist as oneOf,
  optional as maybe,
  string as text,
} from 'valibot';
export type Schema<T = unknown> = v.GenericSchema<unknown, T>;
/** Schemas by the name of their member. */
export type Members = v.ObjectEntries;
export type Shape<M extends Members> = v.InferOutput<v.ObjectSchema<M, undefined>>;
export type Infer<S extends v.GenericSchema> = v.InferOutput<S>;

/** An integer that is not negative. */
export const count = () => v.pipe(v.number(), v.safeInteger(), v.minValue(0));

export const texts = (): Schema<readonly string[]> => v.array(v.string());

/** A member that may be absent, which `undefined` is on the wire. */
export const optional = <const S extends v.GenericSchema>(schema: S) => v.exactOptional(schema);

/**
 * Checks what arrived.
 * @param name names the payload in errors
 * @throws EdgeError `bus.invalid`, which names the member and never its value
 */
export function parse<T>(name: string, schema: Schema<T>, value: unknown): T {
  const { success, output, issues } = v.safeParse(schema, value, { abortEarly: true });
  if (success) return output;
  const [issue] = issues;
  const path = v.getDotPath(issue);
  const place = path === null ? name : `${name}.${path}`;
  throw new EdgeError(
    'bus.invalid',
    issue.received === 'undefined' ? `${place} is missing` : `${place}: expected ${issue.expected}`,
  );
}
