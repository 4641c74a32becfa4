import type { Phrase, Term, TextQuery } from './text-query.js';

/** A document as a full-text index sees it: the tokens of each property in order. */
export type TokenizedDocument = readonly (readonly string[])[];

/** How often each phrase of a query (in the order of {@link phrasesOf}) occurs in each property. */
export type Hits = readonly (readonly number[])[];

/** The phrases of a query from left to right. */
export function phrasesOf(query: TextQuery): readonly Phrase[] {
  switch (query.type) {
    case 'phrase':
      return [query];
    case 'near':
      return query.phrases;
    default:
      return [...phrasesOf(query.left), ...phrasesOf(query.right)];
  }
}

/** Whether a document fulfils a query. */
export function matchesText(query: TextQuery, document: TokenizedDocument): boolean {
  switch (query.type) {
    case 'phrase':
      return hitsOf(query, document).some((count) => count > 0);
    case 'near':
      return document.some((tokens, property) => isNear(query.phrases, query.distances, tokens, property));
    case 'and':
      return matchesText(query.left, document) && matchesText(query.right, document);
    case 'or':
      return matchesText(query.left, document) || matchesText(query.right, document);
    case 'not':
      return matchesText(query.left, document) && !matchesText(query.right, document);
  }
}

/** How often a phrase occurs in each property of a document. */
export function hitsOf(phrase: Phrase, document: TokenizedDocument): number[] {
  return document.map((tokens, property) => positions(phrase, tokens, property).length);
}

/**
 * The rank of a document: for each phrase and property, its hits in this document divided by those in all documents.
 * @param totals the sums of the hits over all documents of the index
 */
export function rankOf(hits: Hits, totals: Hits): number {
  let rank = 0;
  for (const [phrase, counts] of hits.entries())
    for (const [property, count] of counts.entries()) if (count > 0) rank += count / totals[phrase]![property]!;
  return rank;
}

/** Where a phrase begins in a property. */
function positions(phrase: Phrase, tokens: readonly string[], property: number): number[] {
  if (phrase.property !== undefined && phrase.property !== property) return [];
  const found: number[] = [];
  for (let start = 0; start + phrase.terms.length <= tokens.length; start++)
    if (phrase.terms.every((term, index) => isTerm(term, tokens[start + index]!))) found.push(start);
  return found;
}

function isTerm({ token, prefix }: Term, word: string): boolean {
  return prefix ? word.startsWith(token) : word === token;
}

/** Whether each phrase has a place from which the next one is near, all the way through. */
function isNear(
  phrases: readonly Phrase[],
  distances: readonly number[],
  tokens: readonly string[],
  property: number,
): boolean {
  let places = positions(phrases[0]!, tokens, property);
  for (const [index, distance] of distances.entries()) {
    const before = phrases[index]!.terms.length;
    const after = phrases[index + 1]!.terms.length;
    places = positions(phrases[index + 1]!, tokens, property).filter((next) =>
      places.some((place) => {
        const between = next >= place ? next - place - before : place - next - after;
        return between <= distance;
      }),
    );
  }
  return places.length > 0;
}
