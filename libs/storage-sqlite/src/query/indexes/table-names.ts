// Tables of indexes are named after their ID in `indexes`.

export const keyTableName = (id: number): string => `index_${id}`;
export const keyColumn = (column: number): string => `k${column}`;

export const textTableName = (id: number): string => `text_${id}`;
/** The occurrences of each token. */
export const termsTableName = (id: number): string => `text_${id}_terms`;
export const textColumn = (column: number): string => `p${column}`;

/** SQL that drops the tables of an index, of whatever type. */
export const dropTables = (id: number): string =>
  [keyTableName(id), termsTableName(id), textTableName(id)].map((name) => `DROP TABLE IF EXISTS ${name};`).join(' ');
