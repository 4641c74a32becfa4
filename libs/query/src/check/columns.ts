/** A column that waits for its name: `alias` is what AS says, `implied` what its expression suggests. */
export interface NamelessColumn {
  readonly alias?: string;
  readonly implied?: string;
}

/**
 * The names of the columns. Aliases take theirs first; then each other column takes the name of its property, with
 * ` #2`, ` #3` … behind it if that is taken, or the next free one of `$1`, `$2` …
 */
export function nameColumns(columns: readonly NamelessColumn[]): string[] {
  const taken = new Set(columns.flatMap(({ alias }) => (alias === undefined ? [] : [alias])));
  let counter = 0;
  const free = (candidate: (attempt: number) => string): string => {
    for (let attempt = 1; ; attempt++) {
      const name = candidate(attempt);
      if (!taken.has(name)) return name;
    }
  };
  return columns.map(({ alias, implied }) => {
    if (alias !== undefined) return alias;
    const name =
      implied === undefined
        ? free(() => `$${++counter}`)
        : free((attempt) => (attempt === 1 ? implied : `${implied} #${attempt}`));
    taken.add(name);
    return name;
  });
}
