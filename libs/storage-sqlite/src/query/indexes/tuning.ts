/** Most documents that a build puts into an index in one transaction, and about how long it may take, in milliseconds. */
export const BUILD_ROWS = 2_000;
export const BUILD_MS = 10;
/** Rows of `documents` that it walks in one transaction, of whatever collection. */
export const BUILD_WINDOW = 20_000;
/** Between two transactions of a build others get their turn, in milliseconds. */
export const BUILD_PAUSE_MS = 5;
