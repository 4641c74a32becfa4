import { checkJson, removeMember } from '@edgesync/document';
import { isEdgeError } from '@edgesync/errors';
import { prepare } from '../check/checker.js';
import { compile } from '../evaluate/compile.js';
import { bindParameters } from '../evaluate/parameters.js';
import { decode, ObjectValue, type Value } from '../values.js';
import { collectionName, GOLDEN_DATA, goldenContext, type ErrorKind, type GoldenCase, readLines } from './golden.js';
import { byId, MemoryDatabase, type MemoryDocument } from './memory-access.js';

/** An answer: the rows as JSON text, or the kind of error. */
export type Answer = { readonly rows: readonly string[] } | { readonly error: ErrorKind };

const KINDS: Readonly<Partial<Record<string, ErrorKind>>> = {
  'query.syntax': 'syntax',
  'query.invalid': 'invalid',
  'query.index-missing': 'noindex',
  'query.parameter': 'param',
  'query.runtime': 'runtime',
};

/** Runs a statement of the golden cases over documents in memory. */
export function answerInMemory(database: MemoryDatabase, golden: GoldenCase, paramsJson: string | undefined): Answer {
  try {
    const statement = prepare(golden.query, goldenContext(golden.ks));
    const compiled = compile(statement);
    const parameters = bindParameters(statement, paramsJson);
    return { rows: [...compiled.run(database.access(compiled, parameters), parameters)] };
  } catch (error) {
    return answerOf(error);
  }
}

/** @throws what is not an answer */
export function answerOf(error: unknown): Answer {
  const kind = isEdgeError(error) ? KINDS[error.code] : undefined;
  if (!kind) throw error;
  return { error: kind };
}

/** The documents and full-text indexes that the golden cases are about. */
export function goldenDatabase(): MemoryDatabase {
  const database = new MemoryDatabase();
  let sequence = 0n;
  for (const line of GOLDEN_DATA.flatMap(readLines)) {
    const json = checkJson(line);
    const members = (decode(json) as ObjectValue).members;
    const isDeleted = members.get('_deleted') === true;
    const body = ['_collection', '_id', '_deleted', '_ttl'].reduce(removeMember, json);
    const document: MemoryDocument = {
      meta: {
        id: members.get('_id'),
        sequence: ++sequence,
        deleted: isDeleted,
        expiration: members.has('_ttl') ? BigInt(4_000_000_000_000) : undefined,
        revisionID: `1-${sequence.toString(16).padStart(40, '0')}`,
      },
      body: ObjectValue.fromJson(isDeleted ? '{}' : body),
    };
    database.documents(collectionName(members.get('_collection') as string)).push(document);
  }
  for (const documents of database.collections.values()) documents.sort(byId);
  for (const [name, index] of Object.entries(TEXT_INDEXES)) database.textIndexes.set(name, index);
  return database;
}

const isEnglish = ({ body }: MemoryDocument): boolean => body.member('lang') === 'en';

/** The full-text indexes of the cases, by name. */
export const TEXT_INDEXES = {
  body_fts: { properties: ['body'], language: 'en' },
  plain_fts: { properties: ['body'] },
  accent_fts: { properties: ['body'], ignoreAccents: true },
  nostem_fts: { properties: ['body'], language: 'en', disableStemming: true },
  stop_fts: { properties: ['body'], language: 'en', stopWords: ['hut'] },
  en_fts: { properties: ['body'], language: 'en', where: isEnglish },
  de_fts: { properties: ['body'], language: 'de' },
  title_fts: { properties: ['title'], language: 'en' },
  multi_fts: { properties: ['title', 'body'], language: 'en' },
  tags_fts: { properties: ['tags'] },
  sub_fts: { properties: ['sub'] },
  num_fts: { properties: ['n'] },
};

/**
 * Whether an answer is right: the engine's or, where the case allows it, another one. Numbers compare by value, doubles
 * to 12 digits.
 * @returns what is wrong, undefined if nothing is
 */
export function faultOf(golden: GoldenCase, expected: GoldenLine, answer: Answer): string | undefined {
  const { accident, tolerate, tolerateIds } = golden;
  if (accident !== undefined && !golden.sane && !tolerate && !tolerateIds) return undefined;
  const right = golden.edge ? expected.edge! : expected.expect;
  if ('error' in answer) {
    const isRight = 'error' in right && right.error === answer.error;
    return isRight ? undefined : `error ${answer.error} instead of ${describe(right)}`;
  }
  const candidates = [...('rows' in right ? [right.rows] : []), ...(expected.sane ? [expected.sane] : [])];
  const rows = answer.rows.map((row) => decode(row) as ObjectValue);
  if (candidates.some((candidate) => sameRows(golden, candidate, rows))) return undefined;
  return `rows [${answer.rows.join()}] instead of ${describe(right)}${expected.sane ? ` or ${text(expected.sane)}` : ''}`;
}

/** The outcomes of a case with the exact spelling of their numbers. */
export interface GoldenLine {
  readonly expect: ExactOutcome;
  readonly edge?: ExactOutcome;
  readonly sane?: readonly ObjectValue[];
  /** The parameters as JSON text. */
  readonly params?: string;
}

type ExactOutcome = { readonly rows: readonly ObjectValue[] } | { readonly error: string };

export function readGoldenLine(line: string): GoldenLine {
  const members = (decode(checkJson(line)) as ObjectValue).members;
  const rowsOf = (value: Value): ObjectValue[] => [...(value as { items: readonly ObjectValue[] }).items];
  const outcome = (value: Value): ExactOutcome => {
    const { members: parts } = value as ObjectValue;
    return parts.has('error') ? { error: parts.get('error') as string } : { rows: rowsOf(parts.get('rows')) };
  };
  const params = members.get('params') as ObjectValue | undefined;
  return {
    expect: outcome(members.get('expect')),
    ...(members.has('edge') && { edge: outcome(members.get('edge')) }),
    ...(members.has('sane') && { sane: rowsOf(members.get('sane')) }),
    ...(params && { params: params.json }),
  };
}

function describe(outcome: ExactOutcome): string {
  return 'error' in outcome ? `error ${outcome.error}` : `rows ${text(outcome.rows)}`;
}

function text(rows: readonly ObjectValue[]): string {
  return `[${rows.map((row) => row.json).join()}]`;
}

function sameRows(golden: GoldenCase, expected: readonly ObjectValue[], found: readonly ObjectValue[]): boolean {
  if (expected.length !== found.length) return false;
  const isSame = (left: ObjectValue, right: ObjectValue): boolean => sameRow(golden, left, right);
  if (golden.order === 'exact') return expected.every((row, index) => isSame(row, found[index]!));
  const left = [...found];
  return expected.every((row) => {
    const index = left.findIndex((candidate) => isSame(row, candidate));
    if (index >= 0) left.splice(index, 1);
    return index >= 0;
  });
}

function sameRow(golden: GoldenCase, expected: ObjectValue, found: ObjectValue): boolean {
  const id = expected.member('d');
  if (typeof id === 'string' && golden.tolerateIds?.includes(id)) return found.member('d') === id;
  const names = new Set([...expected.members.keys(), ...found.members.keys()]);
  const isBag = golden.deepbag ?? false;
  return [...names].every(
    (name) => golden.tolerate?.includes(name) || sameValue(expected.members.get(name), found.members.get(name), isBag),
  );
}

function sameValue(left: Value, right: Value, isBag: boolean): boolean {
  if (left === right) return true;
  const isNumber = (value: Value): value is bigint | number => typeof value === 'bigint' || typeof value === 'number';
  if (isNumber(left) && isNumber(right)) return sameNumber(left, right);
  if (!isContainer(left) || !isContainer(right)) return false;
  if (left.kind === 'array' && right.kind === 'array') return sameItems(left.items, right.items, isBag);
  if (left.kind !== 'object' || right.kind !== 'object' || left.members.size !== right.members.size) return false;
  return [...left.members].every(([name, value]) => sameValue(value, right.members.get(name), isBag));
}

function sameItems(left: readonly Value[], right: readonly Value[], isBag: boolean): boolean {
  if (left.length !== right.length) return false;
  if (!isBag) return left.every((item, index) => sameValue(item, right[index], isBag));
  const rest = [...right];
  return left.every((item) => {
    const index = rest.findIndex((candidate) => sameValue(item, candidate, isBag));
    if (index >= 0) rest.splice(index, 1);
    return index >= 0;
  });
}

function sameNumber(left: bigint | number, right: bigint | number): boolean {
  if (typeof left === 'bigint' && typeof right === 'bigint') return left === right;
  const a = Number(left);
  const b = Number(right);
  return a === b || Math.abs(a - b) <= 1e-12 * Math.max(Math.abs(a), Math.abs(b));
}

function isContainer(value: Value): value is Extract<Value, { kind: string }> {
  return typeof value === 'object' && value !== null;
}
