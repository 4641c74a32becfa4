/** Bounds of a statement, so that no text exhausts memory or the stack. Far above what people and tools write. */
export const LIMITS = {
  /** Characters of a statement. */
  length: 256 * 1024,
  /** Parentheses, arguments, CASE, quantifiers and EXISTS inside each other. */
  nesting: 100,
  /** Levels of the syntax tree; a chain of operators (`a OR b OR c …`) has one per operand. */
  depth: 1_000,
  /**
   * Operands of a chain of arithmetic, `||` or comparisons. The original engine refuses 200 of them, too. Chains of
   * AND and OR, which programs write, may use the whole depth.
   */
  chain: 150,
  columns: 1_000,
  /** JOIN and UNNEST together. */
  joins: 30,
  parameters: 500,
} as const;
