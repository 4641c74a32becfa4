import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Writes that were given a key, with their outcome, until nobody can be repeating them any more. */
export class DoneWrites1790000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE done_writes (
         key TEXT PRIMARY KEY NOT NULL,
         done_at INTEGER NOT NULL,
         outcome TEXT NOT NULL) WITHOUT ROWID`,
    );
    await runner.query(`CREATE INDEX done_writes_by_age ON done_writes (done_at)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE done_writes`);
  }
}
