/** One measured figure. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** The goal: at least this (for costs, at most). */
  readonly wanted?: { readonly atLeast?: number; readonly atMost?: number };
}

export class Report {
  readonly figures: Figure[] = [];

  add(what: string, value: number, unit: string, wanted?: Figure['wanted']): void {
    const figure = { what, value, unit, ...(wanted && { wanted }) };
    this.figures.push(figure);
    console.log(format(figure));
  }
}

function format({ what, value, unit, wanted }: Figure): string {
  const amount = `${value.toLocaleString('en-US')} ${unit}`;
  if (!wanted) return `${what.padEnd(62)} ${amount}`;
  const { atLeast, atMost } = wanted;
  const met = (atLeast === undefined || value >= atLeast) && (atMost === undefined || value <= atMost);
  const bound = atLeast !== undefined ? `≥ ${atLeast.toLocaleString('en-US')}` : `≤ ${atMost!.toLocaleString('en-US')}`;
  return `${what.padEnd(62)} ${amount.padEnd(20)} ${met ? 'meets' : 'MISSES'} ${bound}`;
}
