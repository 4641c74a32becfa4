/**
 * The syntax tree of a statement, as it was written: nothing is resolved yet. `position` is the offset of a node's
 * first character in the statement.
 */
export interface SelectSyntax {
  readonly type: 'select';
  readonly distinct: boolean;
  readonly columns: readonly ColumnSyntax[];
  readonly from: SourceSyntax;
  readonly joins: readonly (JoinSyntax | UnnestSyntax)[];
  readonly where?: Syntax;
  readonly groupBy: readonly Syntax[];
  readonly having?: Syntax;
  readonly orderBy: readonly OrderSyntax[];
  readonly limit?: Syntax;
  readonly offset?: Syntax;
}

export interface ColumnSyntax {
  readonly expression: Syntax;
  readonly alias?: string;
  readonly position: number;
}

export interface SourceSyntax {
  /** One to three names: `collection`, `scope.collection`, `database.scope.collection`. */
  readonly names: readonly string[];
  readonly alias?: string;
  readonly position: number;
}

export interface JoinSyntax {
  readonly type: 'join';
  readonly kind: 'inner' | 'left' | 'cross';
  readonly source: SourceSyntax;
  readonly on?: Syntax;
}

export interface UnnestSyntax {
  readonly type: 'unnest';
  readonly expression: Syntax;
  readonly alias?: string;
  readonly position: number;
}

export interface OrderSyntax {
  readonly expression: Syntax;
  readonly descending: boolean;
}

export type PathStep = string | number;

export type BinaryOperator =
  '||' | '*' | '/' | '%' | '+' | '-' | '<' | '<=' | '>' | '>=' | '=' | '!=' | 'IS' | 'IS NOT' | 'AND' | 'OR';

/** The grammar knows them, no engine computes them: the checker refuses them. */
export type BitOperator = '<<' | '>>' | '&' | '|';

/** The rules of comparing that a COLLATE clause asks for. Absent: bytes. */
export interface Collation {
  readonly unicode: boolean;
  readonly ignoreCase: boolean;
  readonly ignoreAccents: boolean;
  /** BCP 47, for `UNICODE:de`. */
  readonly locale?: string;
}

export type LiteralValue = null | boolean | bigint | number | string | undefined;

export type Syntax = { readonly position: number } & (
  | { readonly type: 'literal'; readonly value: LiteralValue }
  | { readonly type: 'array'; readonly items: readonly Syntax[] }
  | { readonly type: 'object'; readonly members: readonly { readonly name: string; readonly value: Syntax }[] }
  /** A property path, an alias, or both: `p.name.first`, `tags[0]`. */
  | { readonly type: 'path'; readonly steps: readonly PathStep[] }
  /** `*` or `alias.*`. */
  | { readonly type: 'star'; readonly alias?: string }
  | { readonly type: 'parameter'; readonly name: string }
  /** A path behind something that is not one: `META().id`, `$o.k`, `(x).y`. */
  | { readonly type: 'member'; readonly of: Syntax; readonly steps: readonly PathStep[] }
  | { readonly type: 'unary'; readonly operator: '-' | '+' | 'NOT'; readonly operand: Syntax }
  | {
      readonly type: 'binary';
      readonly operator: BinaryOperator | BitOperator;
      readonly left: Syntax;
      readonly right: Syntax;
    }
  | {
      readonly type: 'test';
      readonly test: 'NULL' | 'MISSING' | 'VALUED';
      readonly negated: boolean;
      readonly operand: Syntax;
    }
  | { readonly type: 'in'; readonly negated: boolean; readonly operand: Syntax; readonly list: readonly Syntax[] }
  /** `x IN property`, `x IN $parameter`: membership of an array value. */
  | { readonly type: 'in-array'; readonly negated: boolean; readonly operand: Syntax; readonly array: Syntax }
  | { readonly type: 'like'; readonly negated: boolean; readonly operand: Syntax; readonly pattern: Syntax }
  | {
      readonly type: 'between';
      readonly negated: boolean;
      readonly operand: Syntax;
      readonly low: Syntax;
      readonly high: Syntax;
    }
  | {
      readonly type: 'case';
      readonly operand?: Syntax;
      readonly whens: readonly { readonly when: Syntax; readonly then: Syntax }[];
      readonly otherwise?: Syntax;
    }
  | {
      readonly type: 'quantified';
      readonly quantifier: 'any' | 'every' | 'any-and-every';
      readonly variable: string;
      readonly array: Syntax;
      readonly satisfies: Syntax;
    }
  | { readonly type: 'exists'; readonly select: SelectSyntax }
  | { readonly type: 'collate'; readonly operand: Syntax; readonly collation: Collation }
  | { readonly type: 'function'; readonly name: string; readonly arguments: readonly Syntax[] }
  | { readonly type: 'meta'; readonly alias?: readonly string[] }
  | { readonly type: 'match'; readonly index: readonly string[]; readonly text: Syntax }
  | { readonly type: 'rank'; readonly index: readonly string[] }
);
