import type { IndexConfig } from '@edgesync/config';
import { checkArrayPath, checkIndexExpression, conjunctsOf, type Expression, type PathStep } from '@edgesync/query';
import { EdgeError } from '@edgesync/errors';
import { readDefinition } from '../indexes/index-catalog.js';
import { keyColumn, keyTableName } from '../indexes/table-names.js';
import type { Snapshot } from '../snapshot.js';
import { TextIndex } from './text-search.js';

/** Something ordered by which documents are found: an index of the configuration, or a key of `documents` itself. */
export interface IndexSource {
  /** For descriptions. */
  readonly name: string;
  readonly collection: number;
  readonly columns: readonly IndexColumn[];
  /** SQL behind FROM: the entries, and the documents as `d`. */
  readonly from: string;
  /** SQL that is true for entries of the collection. */
  readonly where: string;
  /** The entries alone. */
  readonly entries: string;
  /** Whether the order of its keys is that of the values. */
  readonly exact: boolean;
  /** Whether deleted documents are in it. */
  readonly withDeleted: boolean;
  /** Conditions that the WHERE of a statement must imply, so that all its documents are in a partial index. */
  readonly condition: readonly Expression[];
  /** The arrays inside each other whose items it holds. */
  readonly array?: readonly (readonly PathStep[])[];
}

export interface IndexColumn {
  /** See {@link expressionName}. */
  readonly expression: string;
  /** For descriptions. */
  readonly text: string;
  /** SQL of the key. */
  readonly sql: string;
  /** The type of its keys: those of a key of `documents` are of one type. */
  readonly keys: 'any' | 'text' | 'integer';
}

/** The same for the same expression, whatever source it reads. */
export function expressionName(expression: Expression): string {
  return JSON.stringify(expression, (key, value: unknown) => {
    if (typeof value === 'bigint') return { integer: `${value}` };
    return key === 'source' ? undefined : value;
  });
}

/** The keys of `documents`. */
export function documentKeys(collection: number): IndexSource[] {
  const key = (member: 'id' | 'sequence', name: string, keys: IndexColumn['keys']): IndexSource => ({
    name,
    collection,
    columns: [
      {
        expression: expressionName({ type: 'meta', source: 0, member }),
        text: `META().${member}`,
        sql: `d.${member}`,
        keys,
      },
    ],
    from: `documents d INDEXED BY documents_by_${member}`,
    where: `d.collection = ${collection}`,
    entries: `documents d INDEXED BY documents_by_${member}`,
    exact: true,
    withDeleted: true,
    condition: [],
  });
  return [key('id', 'document IDs', 'text'), key('sequence', 'sequences', 'integer')];
}

type CatalogRow = [id: number, name: string, collection: number, definition: string, exact: number, ready: number];

const IS_READY = '(built_to IS NULL AND failure IS NULL)';
const SIGNATURE = `SELECT group_concat(id || '.' || exact || ${IS_READY}) FROM indexes`;
const CATALOG = `SELECT id, name, collection, definition, exact, ${IS_READY} FROM indexes ORDER BY id`;

/** The complete indexes of a database, as its committed states have them. */
export class ReadyIndexes {
  private signature: string | null | undefined;
  private byCollection = new Map<number, IndexSource[]>();
  private texts = new Map<number, TextIndex[]>();
  /** Names of full-text indexes that are not complete. */
  private unfinished = new Map<number, string[]>();

  /** @returns whether they have changed */
  refresh(snapshot: Snapshot): boolean {
    const signature = snapshot.pluck(SIGNATURE).get() as string | null;
    if (signature === this.signature) return false;
    this.signature = signature;
    this.byCollection = new Map();
    this.texts = new Map();
    this.unfinished = new Map();
    for (const row of snapshot.prepare(CATALOG).all() as CatalogRow[]) this.add(row);
    return true;
  }

  of(collection: number): readonly IndexSource[] {
    let known = this.byCollection.get(collection);
    if (!known) this.byCollection.set(collection, (known = documentKeys(collection)));
    return known;
  }

  textNames(collection: number): readonly string[] {
    const names = (this.texts.get(collection) ?? []).map(({ name }) => name);
    return [...names, ...(this.unfinished.get(collection) ?? [])];
  }

  /** @throws EdgeError `query.index-building` */
  text(collection: number, name: string): TextIndex {
    const index = this.texts.get(collection)?.find((known) => known.name === name);
    if (index) return index;
    throw new EdgeError('query.index-building', `the full-text index ${name} is not complete yet`);
  }

  private add([id, name, collection, definition, exact, ready]: CatalogRow): void {
    const config = readDefinition(definition) as IndexConfig;
    if (config.type === 'fulltext') {
      if (ready) append(this.texts, collection, new TextIndex(id, name, config));
      else append(this.unfinished, collection, name);
      return;
    }
    if (!ready) return;
    const known = this.of(collection) as IndexSource[];
    const texts = config.type === 'array' && config.expressions.length === 0 ? [undefined] : config.expressions;
    known.push({
      name,
      collection,
      columns: texts.map((text, column) => ({
        expression: expressionName(text === undefined ? ITEM : checkIndexExpression(text)),
        text: text ?? 'the item',
        sql: `i.${keyColumn(column)}`,
        keys: 'any',
      })),
      from: `${keyTableName(id)} i CROSS JOIN documents d ON d.row = i.row`,
      where: 'TRUE',
      entries: `${keyTableName(id)} i`,
      exact: exact !== 0,
      withDeleted: false,
      condition: 'where' in config ? conjunctsOf(checkIndexExpression(config.where!)) : [],
      ...(config.type === 'array' && { array: checkArrayPath(config.path) }),
    });
  }
}

/** The item itself, in an array index without expressions. */
const ITEM: Expression = { type: 'property', source: 0, path: [] };

function append<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}
