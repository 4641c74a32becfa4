const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));

/** Words that need back-ticks to be a name. */
export const RESERVED = words(
  'AND ANY AS ASC BETWEEN BY CASE COLLATE CROSS DESC DISTINCT ELSE END EVERY FALSE FROM GROUP HAVING IN INNER IS ' +
    'JOIN LEFT LIKE LIMIT MISSING NATURAL NOT NULL OFFSET ON OR ORDER OUTER RIGHT SATISFIES SELECT THEN TRUE UNNEST ' +
    'USING VALUED WHEN WHERE',
);

/** Features of SQL and of SQL++ for servers that readers may look for. The parser names them when it meets them. */
export const FOREIGN = words(
  'ARRAY COMMENT CREATE DELETE DROP ESCAPE EXCEPT EXPLAIN FILTER FIRST FULL INSERT INTERSECT LET LETTING MERGE ' +
    'MINUS NATURAL NEST NULLS OVER PRAGMA RIGHT UNION UPDATE UPSERT USE USING WITH WITHIN',
);
