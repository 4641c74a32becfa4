import type { BinaryOperator, Collation, LiteralValue, PathStep } from './ast.js';

/**
 * A checked statement: every name is resolved, aliases are replaced by what they stand for, and nothing is left that
 * can fail before the first row but parameters. It is what the evaluator compiles and what storage plans an access for.
 *
 * `sources[0]` is FROM; each later source is a join or an unnest, in the order written. Expressions name sources by
 * their index.
 */
export interface Statement {
  readonly distinct: boolean;
  readonly columns: readonly Column[];
  readonly sources: readonly Source[];
  /** Without its MATCH terms, which are in {@link Statement.matches}. */
  readonly where?: Expression;
  readonly matches: readonly Match[];
  readonly groupBy: readonly Expression[];
  readonly having?: Expression;
  /** True if an aggregate occurs or GROUP BY is there: rows are groups. */
  readonly grouped: boolean;
  readonly orderBy: readonly OrderTerm[];
  readonly limit?: Expression;
  readonly offset?: Expression;
  /** Parameters by name, in order of appearance. */
  readonly parameters: readonly string[];
}

export interface Column {
  /** The key in the result (docs/sqlpp.md#names). */
  readonly name: string;
  readonly expression: Expression;
}

export interface OrderTerm {
  readonly expression: Expression;
  readonly descending: boolean;
}

/** A collection of the database. */
export interface CollectionName {
  readonly scope: string;
  readonly collection: string;
}

export type Source =
  | {
      readonly type: 'collection';
      readonly alias: string;
      readonly collection: CollectionName;
      /** How rows of earlier sources meet this one. `from` is the first source. */
      readonly join: 'from' | 'inner' | 'left' | 'cross';
      readonly on?: Expression;
      /** Tombstones are candidates too: the statement mentions their META (docs/sqlpp.md#names). */
      readonly withDeleted: boolean;
    }
  | { readonly type: 'unnest'; readonly alias: string; readonly array: Expression };

/** A full-text condition under AND at the top of WHERE. */
export interface Match {
  readonly source: number;
  readonly index: string;
  readonly text: Expression;
}

export type MetaMember = 'id' | 'sequence' | 'deleted' | 'expiration' | 'revisionID';

export type Expression =
  | { readonly type: 'literal'; readonly value: LiteralValue }
  | { readonly type: 'array'; readonly items: readonly Expression[] }
  | { readonly type: 'object'; readonly members: readonly { readonly name: string; readonly value: Expression }[] }
  /** A property of a document, or the item of an unnest; no steps: the whole of it. */
  | { readonly type: 'property'; readonly source: number; readonly path: readonly PathStep[] }
  /** A quantifier's variable, by its depth from the outermost quantifier (0). */
  | { readonly type: 'variable'; readonly depth: number; readonly path: readonly PathStep[] }
  /** No member: the whole META() object. */
  | { readonly type: 'meta'; readonly source: number; readonly member?: MetaMember }
  | { readonly type: 'parameter'; readonly name: string }
  | { readonly type: 'member'; readonly of: Expression; readonly path: readonly PathStep[] }
  | { readonly type: 'negate'; readonly operand: Expression }
  | { readonly type: 'not'; readonly operand: Expression }
  | {
      readonly type: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
      readonly collation?: Collation;
    }
  | {
      readonly type: 'test';
      readonly test: 'NULL' | 'MISSING' | 'VALUED';
      readonly negated: boolean;
      readonly operand: Expression;
    }
  | {
      readonly type: 'in';
      readonly negated: boolean;
      readonly operand: Expression;
      readonly list: readonly Expression[];
    }
  | { readonly type: 'in-array'; readonly negated: boolean; readonly operand: Expression; readonly array: Expression }
  | {
      readonly type: 'like';
      readonly negated: boolean;
      readonly operand: Expression;
      readonly pattern: Expression;
      readonly collation?: Collation;
    }
  | {
      readonly type: 'between';
      readonly negated: boolean;
      readonly operand: Expression;
      readonly low: Expression;
      readonly high: Expression;
    }
  | {
      readonly type: 'case';
      readonly operand?: Expression;
      readonly whens: readonly { readonly when: Expression; readonly then: Expression }[];
      readonly otherwise?: Expression;
    }
  | {
      readonly type: 'quantified';
      readonly quantifier: 'any' | 'every' | 'any-and-every';
      readonly depth: number;
      readonly array: Expression;
      readonly satisfies: Expression;
    }
  | { readonly type: 'exists'; readonly statement: Statement }
  /** A sort or group key under a collation, or a column of SELECT DISTINCT. Its value is that of the operand. */
  | { readonly type: 'collate'; readonly operand: Expression; readonly collation: Collation }
  /** Upper-case canonical name (`IS_ARRAY` is `ISARRAY`). */
  | {
      readonly type: 'function';
      readonly name: string;
      readonly arguments: readonly Expression[];
      readonly collation?: Collation;
    }
  /** No argument: COUNT(*). */
  | {
      readonly type: 'aggregate';
      readonly name: 'COUNT' | 'SUM' | 'AVG' | 'MIN' | 'MAX' | 'ARRAY_AGG';
      readonly argument?: Expression;
    }
  /** The rank of a row by the match of that index in {@link Statement.matches}. */
  | { readonly type: 'rank'; readonly match: number };
