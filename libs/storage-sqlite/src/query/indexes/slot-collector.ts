import {
  compileDocumentExpression,
  type DocumentExpression,
  type Expression,
  type Row,
  type Slot,
} from '@edgesync/query';

/** Gives several expressions one row of slots. */
export class SlotCollector {
  readonly slots: Slot[] = [];
  private readonly places = new Map<string, number>();

  add(expression: Expression): DocumentExpression {
    const compiled = compileDocumentExpression(expression);
    const places = compiled.slots.map((slot) => this.placeOf(slot));
    const pick = (row: Row): Row => places.map((place) => row[place]);
    return {
      slots: compiled.slots,
      value: (row) => compiled.value(pick(row)),
      holds: (row) => compiled.holds(pick(row)),
    };
  }

  private placeOf(slot: Slot): number {
    const key = JSON.stringify(slot);
    let place = this.places.get(key);
    if (place === undefined) this.places.set(key, (place = this.slots.push(slot) - 1));
    return place;
  }
}
