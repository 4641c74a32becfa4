/** How many arguments a function takes. */
export interface Arity {
  readonly min: number;
  readonly max: number;
}

const arity = (min: number, max = min): Arity => ({ min, max });
const atLeast = (min: number): Arity => arity(min, Infinity);

/** The scalar functions by canonical name (docs/sqlpp.md#functions). */
export const FUNCTIONS = {
  // Text
  LENGTH: arity(1),
  LOWER: arity(1),
  UPPER: arity(1),
  /** The second argument of the three: characters to cut instead of white space. */
  TRIM: arity(1, 2),
  LTRIM: arity(1, 2),
  RTRIM: arity(1, 2),
  CONTAINS: arity(2),
  CONCAT: atLeast(2),

  // Regular expressions
  REGEXP_CONTAINS: arity(2),
  REGEXP_LIKE: arity(2),
  REGEXP_POSITION: arity(2),
  REGEXP_REPLACE: arity(3, 4),

  // Numbers
  ABS: arity(1),
  CEIL: arity(1),
  FLOOR: arity(1),
  SQRT: arity(1),
  EXP: arity(1),
  LN: arity(1),
  LOG: arity(1),
  SIN: arity(1),
  COS: arity(1),
  TAN: arity(1),
  ASIN: arity(1),
  ACOS: arity(1),
  ATAN: arity(1),
  DEGREES: arity(1),
  RADIANS: arity(1),
  E: arity(0),
  PI: arity(0),
  ROUND: arity(1, 2),
  ROUND_EVEN: arity(1, 2),
  TRUNC: arity(1, 2),
  DIV: arity(2),
  IDIV: arity(2),
  SIGN: arity(1),
  POWER: arity(2),
  ATAN2: arity(2),
  GREATEST: atLeast(2),
  LEAST: atLeast(2),

  // Arrays
  ARRAY_LENGTH: arity(1),
  ARRAY_COUNT: arity(1),
  ARRAY_CONTAINS: arity(2),
  ARRAY_SUM: arity(1),
  ARRAY_AVG: arity(1),
  ARRAY_MIN: arity(1),
  ARRAY_MAX: arity(1),
  ARRAY_IFNULL: arity(1),
  ARRAY_OF: atLeast(0),

  // Alternatives
  IFMISSING: atLeast(2),
  IFNULL: atLeast(2),
  IFMISSINGORNULL: atLeast(2),
  MISSINGIF: arity(2),
  NULLIF: arity(2),

  // Types
  ISARRAY: arity(1),
  ISATOM: arity(1),
  ISBOOLEAN: arity(1),
  ISNUMBER: arity(1),
  ISOBJECT: arity(1),
  ISSTRING: arity(1),
  TYPE: arity(1),
  TOARRAY: arity(1),
  TOATOM: arity(1),
  TOBOOLEAN: arity(1),
  TONUMBER: arity(1),
  TOOBJECT: arity(1),
  TOSTRING: arity(1),

  // Dates
  STR_TO_MILLIS: arity(1),
  STR_TO_UTC: arity(1, 2),
  STR_TO_TZ: arity(2, 3),
  MILLIS_TO_STR: arity(1, 2),
  MILLIS_TO_UTC: arity(1, 2),
  MILLIS_TO_TZ: arity(2, 3),
  DATE_DIFF_STR: arity(3),
  DATE_DIFF_MILLIS: arity(3),
  DATE_ADD_STR: arity(3, 4),
  DATE_ADD_MILLIS: arity(3),
} as const satisfies Record<string, Arity>;

/** The canonical name of a scalar function. */
export type FunctionName = keyof typeof FUNCTIONS;

/** `COUNT()` is `COUNT(*)`. */
export const AGGREGATES = {
  COUNT: arity(0, 1),
  SUM: arity(1),
  AVG: arity(1),
  MIN: arity(1),
  MAX: arity(1),
  ARRAY_AGG: arity(1),
} as const satisfies Record<string, Arity>;

export type AggregateName = keyof typeof AGGREGATES;

const ALIASES: Readonly<Record<string, FunctionName>> = {
  IS_ARRAY: 'ISARRAY',
  IS_ATOM: 'ISATOM',
  IS_BOOLEAN: 'ISBOOLEAN',
  IS_NUMBER: 'ISNUMBER',
  IS_OBJECT: 'ISOBJECT',
  IS_STRING: 'ISSTRING',
  TYPENAME: 'TYPE',
  TO_ARRAY: 'TOARRAY',
  TO_ATOM: 'TOATOM',
  TO_BOOLEAN: 'TOBOOLEAN',
  TO_NUMBER: 'TONUMBER',
  TO_OBJECT: 'TOOBJECT',
  TO_STRING: 'TOSTRING',
};

/** Functions of the dialect that need what edgesync does not have, and what that is. */
const ABSENT: Readonly<Record<string, string>> = {
  PREDICTION: 'machine-learning models',
  EUCLIDEAN_DISTANCE: 'vector search',
  COSINE_DISTANCE: 'vector search',
  APPROX_VECTOR_DISTANCE: 'vector search',
};

export type FunctionLookup =
  | { readonly type: 'scalar'; readonly name: FunctionName; readonly arity: Arity }
  | { readonly type: 'aggregate'; readonly name: AggregateName; readonly arity: Arity }
  | { readonly type: 'absent'; readonly needs: string };

/** The function of a name in any case, if there is one. */
export function findFunction(name: string): FunctionLookup | undefined {
  const upper = name.toUpperCase();
  const canonical = Object.hasOwn(ALIASES, upper) ? ALIASES[upper]! : upper;
  if (Object.hasOwn(FUNCTIONS, canonical)) {
    const scalar = canonical as FunctionName;
    return { type: 'scalar', name: scalar, arity: FUNCTIONS[scalar] };
  }
  if (Object.hasOwn(AGGREGATES, upper)) {
    const aggregate = upper as AggregateName;
    return { type: 'aggregate', name: aggregate, arity: AGGREGATES[aggregate] };
  }
  if (Object.hasOwn(ABSENT, upper)) return { type: 'absent', needs: ABSENT[upper]! };
  return undefined;
}
