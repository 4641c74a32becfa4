import type { IndexConfig } from '@edgesync/config';
import {
  checkArrayPath,
  checkIndexExpression,
  compileDocumentExpression,
  itemsOf,
  slotValue,
  type PathStep,
  type Row,
  type Slot,
  type Value,
} from '@edgesync/query';
import { indexKey, isExact, type IndexKey } from './index-keys.js';
import { SlotCollector } from './slot-collector.js';

/** The entries that one document has in an index. */
export interface Entries {
  /** Different from each other; one key for each column. */
  readonly keys: readonly (readonly IndexKey[])[];
  /** Whether all of them are exact; see {@link isExact}. */
  readonly exact: boolean;
}

/** The meaning of a definition for documents. */
export interface IndexShape {
  /** The parts of a document that decide its entries. */
  readonly slots: readonly Slot[];
  readonly columns: number;
  /** @throws EdgeError `query.runtime` if an expression cannot be computed */
  entriesOf(row: Row): Entries;
}

const NO_ENTRIES: Entries = { keys: [], exact: true };

export type KeyIndexConfig = Extract<IndexConfig, { type: 'value' | 'array' }>;

/** @param config of a configuration that was read: its expressions are valid */
export function shapeOf(config: KeyIndexConfig): IndexShape {
  return config.type === 'value' ? valueShape(config) : arrayShape(config);
}

function valueShape({ expressions, where }: Extract<IndexConfig, { type: 'value' }>): IndexShape {
  const reader = new SlotCollector();
  const columns = expressions.map((text) => reader.add(checkIndexExpression(text)));
  const condition = where === undefined ? undefined : reader.add(checkIndexExpression(where));
  return {
    slots: reader.slots,
    columns: columns.length,
    entriesOf: (row) => {
      if (condition && !condition.holds(row)) return NO_ENTRIES;
      const values = columns.map((column) => column.value(row));
      return { keys: [values.map(indexKey)], exact: values.every(isExact) };
    },
  };
}

function arrayShape({ path, expressions }: Extract<IndexConfig, { type: 'array' }>): IndexShape {
  const [outermost, ...inner] = checkArrayPath(path);
  const columns = expressions.map((text) => compileDocumentExpression(checkIndexExpression(text)));
  return {
    slots: [{ type: 'property', path: outermost! }],
    columns: Math.max(1, columns.length),
    entriesOf: ([array]) => {
      const found = new Map<string, readonly IndexKey[]>();
      let exact = true;
      for (const item of itemsAt(array, inner)) {
        const values =
          columns.length === 0
            ? [item]
            : columns.map((column) => column.value(column.slots.map((slot) => slotValue(slot, '', item))));
        const keys = values.map(indexKey);
        exact &&= values.every(isExact);
        found.set(signature(keys), keys);
      }
      return { keys: [...found.values()], exact };
    },
  };
}

/** The items of an array, or of the arrays inside its items. */
function* itemsAt(array: Value, inner: readonly (readonly PathStep[])[]): Generator<Value, void, undefined> {
  const [path, ...rest] = inner;
  for (const item of itemsOf(array))
    if (path) yield* itemsAt(slotValue({ type: 'property', path }, '', item), rest);
    else yield item;
}

/** The same for the same keys. */
export function signature(keys: readonly IndexKey[]): string {
  return keys
    .map((key) => {
      switch (typeof key) {
        case 'string':
          return `s${key.length}:${key}`;
        case 'object':
          return `b${key.toString('base64')};`;
        default:
          return `n${String(key)};`;
      }
    })
    .join('');
}
