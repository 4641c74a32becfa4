import type { Keyspace } from '@edgesync/document';
import type { SessionOperation } from './sessions.js';

/**
 * Every subject starts with the name of the contract and its major version: processes of incompatible releases share
 * a NATS server without receiving messages of each other.
 */
export const SUBJECT_ROOT = 'edge.v1';

/** Requests to the owner of a database go to `edge.v1.db.<database>.<operation>`. */
export function requestSubject(database: string, operation: string): string {
  return `${databaseSubjects(database)}${operation}`;
}

/** The prefix of the operation in the subjects of a database, with the dot. */
export function databaseSubjects(database: string): string {
  return `${SUBJECT_ROOT}.db.${nameToken(database)}.`;
}

/** Doorbells of a collection. */
export function changedSubject({ database, scope, collection }: Keyspace): string {
  return `${SUBJECT_ROOT}.changed.${nameToken(database)}.${nameToken(scope)}.${nameToken(collection)}`;
}

/** Workers of a kind announce themselves at `edge.v1.worker.<kind>.<id>`. */
export function workerSubject(kind: string, id: string): string {
  return `${SUBJECT_ROOT}.worker.${nameToken(kind)}.${nameToken(id)}`;
}

/** All announcements of a kind of workers. */
export function workerSubjects(kind: string): string {
  return `${SUBJECT_ROOT}.worker.${nameToken(kind)}.*`;
}

/** Asks the workers of a kind to announce themselves now. */
export function rollCallSubject(kind: string): string {
  return `${SUBJECT_ROOT}.roll-call.${nameToken(kind)}`;
}

/** Requests of gateways to a worker about sessions go to `edge.v1.session.<worker>.<operation>`. */
export function sessionSubject(worker: string, operation: SessionOperation): string {
  return `${SUBJECT_ROOT}.session.${nameToken(worker)}.${operation}`;
}

/** Requests to one worker go to `edge.v1.ask.<kind>.<id>.<operation>`. */
export function workerRequestSubject(kind: string, id: string, operation: string): string {
  return `${workerRequestSubjects(kind, id)}${operation}`;
}

/** The prefix of the operation in the subjects of a worker, with the dot. */
export function workerRequestSubjects(kind: string, id: string): string {
  return `${SUBJECT_ROOT}.ask.${nameToken(kind)}.${nameToken(id)}.`;
}

/** Doorbell of the table of replications. It carries nothing: receivers read the table. */
export const REPLICATIONS_CHANGED_SUBJECT = `${SUBJECT_ROOT}.replications-changed`;

/**
 * Spells a name as one token of a subject, reversibly: names of databases may hold `*`, `>` and blanks, which mean
 * something in subjects. Letters, digits, `-` and `_` stand for themselves, everything else is `=` and two hex digits.
 */
export function nameToken(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]/gu, (character) =>
    [...new TextEncoder().encode(character)].map((byte) => `=${byte.toString(16).padStart(2, '0')}`).join(''),
  );
}
