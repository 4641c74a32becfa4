/** Something that goes on for a while and that operators want to see (docs/protocol/rest.md#active-tasks). */
export interface ActiveTask {
  readonly id: number;
  /** `changes`, `sync`, `replication`. */
  readonly type: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** Further tasks to show, read on demand. */
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

/** Where numbers begin in the processes of a split deployment, whose replications are numbered by all of them together. */
export const SPLIT_TASKS_FROM = 1_000_000_001;

/** All that goes on in this process, under one numbering, whichever service does it. */
export class ActiveTasks {
  private readonly tasks = new Map<number, ActiveTask>();
  private readonly elsewhere: (() => Promise<readonly ShownTask[]>)[] = [];
  private lastId: number;

  /**
   * @param now wall-clock milliseconds
   * @param from the first number
   */
  constructor(
    private readonly now: () => number = Date.now,
    from = 1,
  ) {
    this.lastId = from - 1;
  }

  /** A number that no task of this process had before. */
  nextId(): number {
    return ++this.lastId;
  }

  /** Shows a task until the returned function is called. Its `id` comes from {@link nextId}. */
  add(task: ActiveTask): () => void {
    this.tasks.set(task.id, task);
    return () => this.tasks.delete(task.id);
  }

  /** Shows also what goes on in other processes; their numbers are not ours. */
  include(source: () => Promise<readonly ShownTask[]>): void {
    this.elsewhere.push(source);
  }

  /** Tasks here and elsewhere, oldest first. @throws what a source throws */
  async listAll(): Promise<ShownTask[]> {
    const others = await Promise.all(this.elsewhere.map((source) => source()));
    // Sorting keeps the order of those of the same age.
    return [...others.flat(), ...this.list()].sort((one, other) => other.age_secs - one.age_secs);
  }

  /** Tasks here, oldest first. */
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
