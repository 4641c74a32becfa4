import { compareBytes } from '@edgesync/document';
import { follow } from '../evaluate/frame.js';
import { keyOf } from '../evaluate/keys.js';
import {
  Analyzer,
  type AnalyzerOptions,
  hitsOf,
  type Hits,
  indexedText,
  matchesText,
  parseTextQuery,
  phrasesOf,
  rankOf,
  type TokenizedDocument,
} from '../fulltext/index.js';
import { evaluateConstant } from '../evaluate/compile.js';
import type { CompiledStatement, Parameters } from '../plan.js';
import type { Access, Row, Slot } from '../rows.js';
import type { CollectionName, Expression, MetaMember } from '../statement.js';
import type { ObjectValue, Value } from '../values.js';

export interface MemoryDocument {
  readonly meta: Readonly<Record<MetaMember, Value>>;
  readonly body: ObjectValue;
}

export interface MemoryTextIndex extends AnalyzerOptions {
  readonly properties: readonly string[];
  readonly where?: (document: MemoryDocument) => boolean;
}

/** Documents by collection (`scope.collection`), for tests. */
export class MemoryDatabase {
  readonly collections = new Map<string, MemoryDocument[]>();
  readonly textIndexes = new Map<string, MemoryTextIndex>();

  documents({ scope, collection }: CollectionName): MemoryDocument[] {
    const key = `${scope}.${collection}`;
    let documents = this.collections.get(key);
    if (!documents) this.collections.set(key, (documents = []));
    return documents;
  }

  /** @param seeks whether rows are found by their keys, as an index would */
  access(compiled: CompiledStatement, parameters: Parameters, seeks = false): Access {
    return new MemoryAccess(this, compiled, parameters, seeks);
  }
}

class MemoryAccess implements Access {
  readonly ordered = false;
  private readonly ranks = new Map<number, ReadonlyMap<MemoryDocument, number>>();

  constructor(
    private readonly database: MemoryDatabase,
    private readonly compiled: CompiledStatement,
    private readonly parameters: Parameters,
    private readonly canSeek: boolean,
  ) {}

  seeks(source: number): boolean {
    return this.canSeek && this.compiled.sources[source]!.keys.every(({ operand }) => isPath(operand));
  }

  *rows(source: number, keys?: readonly Value[]): Generator<Row, void, undefined> {
    const { slots, keys: terms } = this.compiled.sources[source]!;
    for (const document of this.documents(source)) {
      const isWanted =
        !keys || terms.every(({ operand }, index) => keyOf(valueOf(operand, document)) === keyOf(keys[index]));
      if (isWanted) yield slots.map((slot) => this.slotOf(slot, document));
    }
  }

  nested(index: number): Access {
    return this.database.access(this.compiled.nested[index]!, this.parameters, this.canSeek);
  }

  private documents(index: number): MemoryDocument[] {
    const { sources, matches } = this.compiled.statement;
    const source = sources[index]!;
    if (source.type === 'unnest') throw new Error('an unnest has no rows of its own');
    const visible = this.database
      .documents(source.collection)
      .filter(({ meta }) => source.withDeleted || meta.deleted === false);
    const relevant = matches.flatMap((match, position) => (match.source === index ? [position] : []));
    return visible.filter((document) => relevant.every((match) => this.ranksOf(match).has(document)));
  }

  private slotOf(slot: Slot, document: MemoryDocument): Value {
    switch (slot.type) {
      case 'meta':
        return document.meta[slot.member];
      case 'property':
        return follow(document.body, slot.path);
      case 'rank':
        return this.ranksOf(slot.match).get(document);
    }
  }

  /** The documents that fulfil a MATCH, with their ranks. */
  private ranksOf(match: number): ReadonlyMap<MemoryDocument, number> {
    let ranks = this.ranks.get(match);
    if (!ranks) this.ranks.set(match, (ranks = this.search(match)));
    return ranks;
  }

  private search(match: number): Map<MemoryDocument, number> {
    const ranks = new Map<MemoryDocument, number>();
    const { source, index: name, text } = this.compiled.statement.matches[match]!;
    const collection = this.compiled.statement.sources[source]!;
    const wanted = evaluateConstant(text, this.parameters);
    if (collection.type === 'unnest' || typeof wanted !== 'string') return ranks;
    const index = this.database.textIndexes.get(name)!;
    const analyzer = new Analyzer(index);
    const query = parseTextQuery(wanted, analyzer, index.properties);
    if (!query) return ranks;
    const indexed = this.database
      .documents(collection.collection)
      .filter((document) => document.meta.deleted === false && (index.where?.(document) ?? true))
      .map((document) => ({ document, tokens: tokensOf(document, index, analyzer) }));
    const phrases = phrasesOf(query);
    const allHits = indexed.map(({ tokens }) => phrases.map((phrase) => hitsOf(phrase, tokens)));
    const totals: Hits = phrases.map((_, phrase) =>
      index.properties.map((__, property) => allHits.reduce((sum, hits) => sum + hits[phrase]![property]!, 0)),
    );
    indexed.forEach(({ document, tokens }, position) => {
      if (matchesText(query, tokens)) ranks.set(document, rankOf(allHits[position]!, totals));
    });
    return ranks;
  }
}

function tokensOf(document: MemoryDocument, index: MemoryTextIndex, analyzer: Analyzer): TokenizedDocument {
  return index.properties.map((property) => analyzer.tokens(indexedText(document.body.member(property))));
}

function isPath({ type }: Expression): boolean {
  return type === 'property' || type === 'meta';
}

function valueOf(operand: Expression, document: MemoryDocument): Value {
  if (operand.type === 'meta') return operand.member === undefined ? undefined : document.meta[operand.member];
  return operand.type === 'property' ? follow(document.body, operand.path) : undefined;
}

export function byId(left: MemoryDocument, right: MemoryDocument): number {
  return compareBytes(left.meta.id as string, right.meta.id as string);
}
