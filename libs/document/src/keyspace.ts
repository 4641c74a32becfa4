/** A database, or one collection of it, as the first component of a REST path names it. */
export interface Keyspace {
  readonly database: string;
  readonly scope: string;
  readonly collection: string;
}
