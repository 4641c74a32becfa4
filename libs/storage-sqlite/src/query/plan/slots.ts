import { decode, type Row, type Slot, type Value } from '@edgesync/query';
import { jsonSql } from './sql-text.js';

/** How the slots of a source are read from rows of `documents`, here called `d`. */
export interface SlotReader {
  /** SQL of the columns, at least one. */
  readonly columns: string;
  /**
   * @param row the columns, in a new array, which becomes the row
   * @param number of the document's row
   */
  decode(row: unknown[], number: number): Row;
}

type Decoder = (column: unknown, number: number) => Value;

/** The rank of a document by one of the statement's matches. */
export type RankOf = (match: number, row: number) => number;

const decoders: Record<'property' | 'string' | 'integer' | 'flag' | 'deadline', Decoder> = {
  property: (column) => decode(column as string | null),
  string: (column) => column as string,
  integer: (column) => BigInt(column as number),
  flag: (column) => column !== 0,
  deadline: (column) => (column === null ? undefined : BigInt(column as number) * 1_000n),
};

export function readSlots(slots: readonly Slot[], rankOf: RankOf = () => 0): SlotReader {
  const parts = slots.map((slot) => partOf(slot, rankOf));
  if (parts.length === 0) return { columns: '1', decode: () => EMPTY };
  const steps = parts.map(({ decoder }) => decoder);
  const { length } = steps;
  return {
    columns: parts.map(({ sql }) => sql).join(', '),
    decode: (row, number) => {
      for (let index = 0; index < length; index++) row[index] = steps[index]!(row[index], number);
      return row as Value[];
    },
  };
}

const EMPTY: Row = [];

function partOf(slot: Slot, rankOf: RankOf): { readonly sql: string; readonly decoder: Decoder } {
  if (slot.type === 'property') return { sql: jsonSql('d.body', slot.path).text, decoder: decoders.property };
  if (slot.type === 'rank') return { sql: 'NULL', decoder: (_, number) => rankOf(slot.match, number) };
  switch (slot.member) {
    case 'id':
      return { sql: 'd.id', decoder: decoders.string };
    case 'sequence':
      return { sql: 'd.sequence', decoder: decoders.integer };
    case 'deleted':
      return { sql: '(d.flags & 1)', decoder: decoders.flag };
    case 'expiration':
      return { sql: 'd.expires_at', decoder: decoders.deadline };
    case 'revisionID':
      return { sql: 'd.rev', decoder: decoders.string };
  }
}
