/** Something that goes on for a while and that operators want to see (ref 6.15). */
export interface ActiveTask {
  readonly id: number;
  /** `changes`, `sync`, `replication`. */
  readonly type: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** What else is to be shown, asked for when somebody looks. */
  readonly describe: () => Readonly<Record<string, unknown>>;
}

/** A task as `_active_tasks` shows it. */
export interface ShownTask {
  readonly task_id: number;
  readonly type: string;
  /** Whole seconds. */
  readonly age_secs: number;
  readonly [key: string]: unknown;
}

/** All that goes on in this process, under one numbering, whichever service does it. */
export class ActiveTasks {
  private readonly tasks = new Map<number, ActiveTask>();
  private lastId = 0;

  /** @param now wall-clock milliseconds */
  constructor(private readonly now: () => number = Date.now) {}

  /** A number that no task of this process had before, from 1. */
  nextId(): number {
    return ++this.lastId;
  }

  /** Shows a task until the returned function is called. Its `id` comes from {@link nextId}. */
  add(task: ActiveTask): () => void {
    this.tasks.set(task.id, task);
    return () => this.tasks.delete(task.id);
  }

  /** Oldest first. */
  list(): ShownTask[] {
    const now = this.now();
    return [...this.tasks.values()].map(({ id, type, since, describe }) => ({
      task_id: id,
      type,
      age_secs: Math.max(0, Math.floor((now - since) / 1_000)),
      ...describe(),
    }));
  }
}
