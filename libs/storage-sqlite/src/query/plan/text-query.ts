import { phrasesOf, type Phrase, type Term, type TextQuery } from '@edgesync/query/fulltext';
import { textColumn } from '../indexes/table-names.js';

/** A query in the language of SQLite's full-text search. */
export interface SqliteTextQuery {
  readonly text: string;
  /** Whether it finds no document but those that fulfil the query. */
  readonly exact: boolean;
}

/** Never leaves out a document that fulfils the query. */
export function sqliteTextQuery(query: TextQuery): SqliteTextQuery {
  switch (query.type) {
    case 'phrase':
      return phraseText(query);
    case 'near':
      return nearText(query);
    case 'and':
    case 'or': {
      // One level for a whole chain: SQLite bounds the depth.
      const parts = chainOf(query, query.type).map(sqliteTextQuery);
      return {
        text: `(${parts.map(({ text }) => text).join(` ${query.type.toUpperCase()} `)})`,
        exact: parts.every(({ exact }) => exact),
      };
    }
    case 'not': {
      const left = sqliteTextQuery(query.left);
      const right = sqliteTextQuery(query.right);
      // Leaving out too much is the one thing that must not happen.
      return right.exact ? { text: `(${left.text} NOT ${right.text})`, exact: left.exact } : { ...left, exact: false };
    }
  }
}

function chainOf(query: TextQuery, type: 'and' | 'or'): TextQuery[] {
  const found: TextQuery[] = [];
  const todo = [query];
  for (let next; (next = todo.pop());)
    if (next.type === type) todo.push((next as { right: TextQuery }).right, (next as { left: TextQuery }).left);
    else found.push(next);
  return found;
}

function phraseText({ terms, property }: Phrase): SqliteTextQuery {
  const within = property === undefined ? '' : `${textColumn(property)} : `;
  const inner = terms.slice(0, -1);
  if (inner.some(({ prefix }) => prefix))
    return { text: `(${terms.map((term) => within + termText(term)).join(' AND ')})`, exact: false };
  const words = terms.map(({ token }) => token).join(' ');
  return { text: `${within}"${words}"${terms.at(-1)!.prefix ? ' *' : ''}`, exact: true };
}

const termText = ({ token, prefix }: Term): string => `"${token}"${prefix ? ' *' : ''}`;

/** Two phrases without more to say are as near to SQLite as to us; a chain of them is not. */
function nearText(query: Extract<TextQuery, { type: 'near' }>): SqliteTextQuery {
  const { phrases, distances } = query;
  const isPlain = phrases.every(
    ({ terms, property }) => property === undefined && terms.every(({ prefix }) => !prefix),
  );
  if (isPlain && phrases.length === 2)
    return {
      text: `NEAR(${phrases.map((phrase) => phraseText(phrase).text).join(' ')}, ${distances[0]})`,
      exact: true,
    };
  return {
    text: `(${phrasesOf(query)
      .map((phrase) => phraseText(phrase).text)
      .join(' AND ')})`,
    exact: false,
  };
}
