import { availableParallelism } from 'node:os';

/** Most threads of a process that run statements: beyond the processors they only take turns. */
export const MAX_THREADS = Math.min(8, Math.max(2, availableParallelism()));
/** A thread without work ends after this long, in milliseconds, and gives its memory back. */
export const THREAD_IDLE_MS = 60_000;
/** How much less processor time threads get than the one that serves requests, as a Unix nice value. */
export const THREAD_NICENESS = 10;
/** Heap of a thread, in MB: what a statement may hold, and as much again. */
export const THREAD_HEAP_MB = 640;
/** A thread that does not stop a statement by itself within this many milliseconds is ended. */
export const STOP_GRACE_MS = 1_000;

/** Rows are sent when their JSON reaches this many characters. */
export const BATCH_CHARACTERS = 65_536;
/** Batches above this size, which hold a long row, are sent one at a time. */
export const LARGE_BATCH_CHARACTERS = 1_000_000;
/** Rows that are ready are not held back for longer than this, in milliseconds. */
export const BATCH_MS = 25;
/** Batches that may wait for their reader; then the statement stands still. */
export const BATCH_WINDOW = 8;

/** Compiled statements kept by a thread, and SQL statements kept by one of its connections. */
export const COMPILED_STATEMENTS = 200;
export const PREPARED_STATEMENTS = 300;
/** Page cache of a thread's connection, in KiB: pages of indexes are read again, those of a scan are not. */
export const CACHE_KIB = 8_192;

/** Rows read from SQLite at a time, and characters after which fewer are. */
export const CHUNK_ROWS = 256;
export const CHUNK_CHARACTERS = 500_000;
/** A step of SQLite that walks a table is to take about this many milliseconds: between two of them a statement can be stopped. */
export const WINDOW_MS = 20;
