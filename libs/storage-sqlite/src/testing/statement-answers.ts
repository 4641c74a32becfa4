import type { Keyspace } from '@edgesync/document';
import { CONTROL } from '../query/messages.js';
import { Outlet } from '../query/outlet.js';
import type { StatementRunner } from '../query/statement-runner.js';

class Collector extends Outlet {
  readonly found: string[] = [];

  constructor() {
    const control = new Int32Array(new SharedArrayBuffer(CONTROL.cells * Int32Array.BYTES_PER_ELEMENT));
    super(
      1,
      control,
      () => undefined,
      () => undefined,
    );
  }

  override row(json: string): void {
    this.found.push(json);
  }
}

/** The rows of a statement that runs on this thread. */
export function answersOf(
  runner: StatementRunner,
  keyspace: Keyspace,
  statement: string,
  parameters: string,
): string[] {
  const collector = new Collector();
  runner.run(
    {
      type: 'run',
      id: 1,
      database: 1,
      keyspace,
      statement,
      parameters,
      heldRows: 1_000_000,
      heldBytes: 1_000_000_000,
      nowSeconds: 1,
    },
    collector,
  );
  return collector.found;
}
