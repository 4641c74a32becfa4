import Database from 'better-sqlite3';

/**
 * Calls `step` before and after everything any connection of this process does, until the returned function is called.
 * At each such moment the files are what a killed process would leave behind.
 */
export function onEverySqlStep(step: () => void): () => void {
  const probe = new Database(':memory:');
  const statements = Object.getPrototypeOf(probe.prepare('SELECT 1')) as object;
  probe.close();
  const undo = [
    ...(['exec', 'close'] as const).map((method) => wrap(Database.prototype, method, step)),
    ...(['run', 'get', 'all'] as const).map((method) => wrap(statements, method, step)),
  ];
  return () => undo.forEach((restore) => restore());
}

function wrap(prototype: object, method: string, step: () => void): () => void {
  const target = prototype as Record<string, (...parameters: unknown[]) => unknown>;
  const original = target[method]!;
  target[method] = function (this: unknown, ...parameters: unknown[]) {
    step();
    try {
      return original.apply(this, parameters);
    } finally {
      step();
    }
  };
  return () => (target[method] = original);
}
