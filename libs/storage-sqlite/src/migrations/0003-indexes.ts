import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The indexes of statements. Each has a table of its own, named after its ID, which is never given out twice. `built_to`
 * is the last row of `documents` that is in it, NULL when all are. `exact` is 0 once a value was stored whose key does
 * not keep its order.
 */
export class Indexes1790000000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE indexes (
         id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
         name TEXT NOT NULL UNIQUE,
         collection INTEGER NOT NULL REFERENCES collections (id),
         definition TEXT NOT NULL,
         built_to INTEGER,
         exact INTEGER NOT NULL DEFAULT 1,
         failure TEXT)`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE indexes`);
  }
}
