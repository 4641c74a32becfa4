import type { Row, Slot } from '../rows.js';
import type { Expression, Statement } from '../statement.js';
import type { Value } from '../values.js';
import { ExpressionCompiler } from './expressions.js';
import { follow, Frame } from './frame.js';
import { Layout } from './layout.js';

/** An expression that reads one document, such as that of an index. */
export interface DocumentExpression {
  /** The parts of a document that it reads. */
  readonly slots: readonly Slot[];
  /**
   * @param row values parallel to the slots
   * @throws EdgeError `query.runtime`
   */
  value(row: Row): Value;
  /** Whether it is true as a condition. @throws EdgeError `query.runtime` */
  holds(row: Row): boolean;
}

/**
 * Compiles an expression that {@link checkIndexExpression} made.
 * @throws EdgeError `query.invalid` for a locale without collation
 */
export function compileDocumentExpression(expression: Expression): DocumentExpression {
  const layout = new Layout(ONE_SOURCE);
  const compiler = new ExpressionCompiler(layout);
  const evaluate = compiler.compile(expression);
  const test = compiler.condition(expression);
  const frameOf = (row: Row): Frame => {
    const frame = new Frame(NO_PARAMETERS, () => false);
    frame.rows = [row];
    return frame;
  };
  return {
    slots: layout.slots[0]!,
    value: expression.type === 'property' ? ([value]) => value : (row) => evaluate(frameOf(row)),
    holds: (row) => test(frameOf(row)) === true,
  };
}

/**
 * The value of a slot for a document.
 * @param content its body; for an item of an array, the item
 */
export function slotValue(slot: Slot, id: string, content: Value): Value {
  if (slot.type === 'property') return follow(content, slot.path);
  return slot.type === 'meta' && slot.member === 'id' ? id : undefined;
}

const ONE_SOURCE = { sources: [{ type: 'collection' }], matches: [] } as unknown as Statement;
const NO_PARAMETERS = new Map<string, Value>();
