import { isArray, type Condition, type Expression, type Parameters, type Value } from '@edgesync/query';

type Test = Extract<Condition, { type: 'test' }>;

/** A condition whose constants are known. None of them is MISSING: nothing fulfils a comparison with it. */
export type BoundCondition =
  | {
      readonly type: 'compare';
      readonly operator: Extract<Condition, { type: 'compare' }>['operator'];
      readonly operand: Expression;
      readonly value: Value;
    }
  /** Equal to one of these; not empty. */
  | { readonly type: 'in'; readonly operand: Expression; readonly values: readonly Value[] }
  | { readonly type: 'like'; readonly operand: Expression; readonly pattern: string }
  | Test
  | {
      readonly type: 'any';
      readonly array: Expression;
      readonly depth: number;
      readonly items: readonly BoundCondition[];
    }
  | { readonly type: 'or'; readonly alternatives: readonly (readonly BoundCondition[])[] };

/** No document fulfils the conditions. */
export const NOTHING = 'nothing';

/** Conditions that say nothing are left out. */
export function bindConditions(
  conditions: readonly Condition[],
  parameters: Parameters,
): BoundCondition[] | typeof NOTHING {
  const bound: BoundCondition[] = [];
  for (const condition of conditions) {
    const result = bind(condition, parameters);
    if (result === NOTHING) return NOTHING;
    if (result) bound.push(result);
  }
  return bound;
}

function bind(condition: Condition, parameters: Parameters): BoundCondition | typeof NOTHING | undefined {
  switch (condition.type) {
    case 'compare': {
      const { operator, operand } = condition;
      const value = condition.value.value(parameters);
      return value === undefined ? NOTHING : { type: 'compare', operator, operand, value };
    }
    case 'in':
      return among(
        condition.operand,
        condition.values.map((value) => value.value(parameters)),
      );
    case 'in-array': {
      const array = condition.array.value(parameters);
      return isArray(array) ? among(condition.operand, array.items) : undefined;
    }
    case 'like': {
      const pattern = condition.pattern.value(parameters);
      if (pattern === undefined) return NOTHING;
      return typeof pattern === 'string' ? { type: 'like', operand: condition.operand, pattern } : undefined;
    }
    case 'test':
      return condition;
    case 'any': {
      const items = bindConditions(condition.items, parameters);
      return items === NOTHING ? NOTHING : { ...condition, items };
    }
    case 'or': {
      const alternatives = condition.alternatives.flatMap((conditions) => {
        const bound = bindConditions(conditions, parameters);
        return bound === NOTHING ? [] : [bound];
      });
      return alternatives.length === 0 ? NOTHING : { type: 'or', alternatives };
    }
  }
}

function among(operand: Expression, values: readonly Value[]): BoundCondition | typeof NOTHING {
  const present = values.filter((value) => value !== undefined);
  return present.length === 0 ? NOTHING : { type: 'in', operand, values: present };
}
