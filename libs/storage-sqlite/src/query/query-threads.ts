import { EdgeError } from '@edgesync/errors';
import type { AttachedDatabase, StatementJob } from './messages.js';
import { QueryThread, type StatementListener } from './query-thread.js';
import { MAX_THREADS, THREAD_IDLE_MS } from './tuning.js';

/** A database whose statements the threads run. */
export interface QueriedDatabase extends AttachedDatabase {
  /** Most statements that run at once, and that wait for their turn. */
  readonly running: number;
  readonly waiting: number;
}

/** A statement that was handed in. */
interface Task {
  readonly database: QueriedDatabase;
  readonly job: StatementJob;
  readonly listener: StatementListener;
  thread?: QueryThread;
}

/** Controls of a statement that was handed in. */
export interface TaskHandle {
  /** The reader has taken a batch. */
  taken(): void;
  /** Ends it. Its listener may still be called. */
  stop(): void;
}

/**
 * Threads that run statements, one at a time each. The first statement starts the first thread, a statement that finds
 * all of them busy starts another one up to a limit, and a thread without work ends.
 */
export class QueryThreads {
  private readonly idle: { readonly thread: QueryThread; readonly timer: NodeJS.Timeout }[] = [];
  private readonly threads = new Set<QueryThread>();
  private readonly busy = new Map<QueryThread, Task>();
  private readonly queue: Task[] = [];
  private readonly emptied = new Map<number, () => void>();
  private readonly databases = new Set<number>();

  /**
   * @throws EdgeError `query.overloaded`
   */
  submit(database: QueriedDatabase, job: StatementJob, listener: StatementListener): TaskHandle {
    const task: Task = { database, job, listener };
    this.databases.add(database.key);
    this.queue.push(task);
    this.dispatch();
    // Its turn may have come at once.
    if (!task.thread && this.count(this.queue, database.key) > database.waiting) {
      this.queue.splice(this.queue.indexOf(task), 1);
      throw new EdgeError('query.overloaded');
    }
    return {
      taken: () => task.thread?.taken(job.id),
      stop: () => {
        const place = this.queue.indexOf(task);
        if (place >= 0) this.queue.splice(place, 1);
        task.thread?.stop(job.id);
      },
    };
  }

  /** Statements of a database that run and wait. */
  load(database: number): { readonly running: number; readonly waiting: number } {
    return { running: this.count(this.busy.values(), database), waiting: this.count(this.queue, database) };
  }

  /**
   * Has the threads close the files of a database, after its statements, which the caller stops, have ended. Threads end
   * with the last database.
   */
  async detach(database: number): Promise<void> {
    if (this.count(this.busy.values(), database) > 0)
      await new Promise<void>((resolve) => this.emptied.set(database, resolve));
    await Promise.all([...this.threads].map((thread) => thread.detach(database)));
    this.databases.delete(database);
    if (this.databases.size > 0) return;
    for (const { timer } of this.idle.splice(0)) clearTimeout(timer);
    for (const thread of this.threads) thread.end();
  }

  private dispatch(): void {
    for (let place = 0; place < this.queue.length;) {
      const task = this.queue[place]!;
      const { key, running } = task.database;
      if (this.busy.size >= running && this.count(this.busy.values(), key) >= running) {
        place++;
        continue;
      }
      const thread = this.takeThread();
      if (!thread) return;
      this.queue.splice(place, 1);
      task.thread = thread;
      this.busy.set(thread, task);
      thread.run(task.database, task.job, task.listener);
    }
  }

  /** The thread that ran last has its caches warm. */
  private takeThread(): QueryThread | undefined {
    const last = this.idle.pop();
    if (last) {
      clearTimeout(last.timer);
      return last.thread;
    }
    if (this.threads.size >= MAX_THREADS) return undefined;
    const thread = new QueryThread(
      (free) => this.free(free),
      (gone) => this.gone(gone),
    );
    this.threads.add(thread);
    return thread;
  }

  private free(thread: QueryThread): void {
    this.finished(thread);
    const timer = setTimeout(() => {
      this.idle.splice(
        this.idle.findIndex((entry) => entry.thread === thread),
        1,
      );
      thread.end();
    }, THREAD_IDLE_MS);
    timer.unref();
    this.idle.push({ thread, timer });
    this.dispatch();
  }

  private gone(thread: QueryThread): void {
    this.threads.delete(thread);
    const place = this.idle.findIndex((entry) => entry.thread === thread);
    if (place >= 0) clearTimeout(this.idle.splice(place, 1)[0]!.timer);
    this.finished(thread);
    this.dispatch();
  }

  private finished(thread: QueryThread): void {
    const task = this.busy.get(thread);
    if (!task) return;
    this.busy.delete(thread);
    const { key } = task.database;
    if (this.emptied.size === 0 || this.count(this.busy.values(), key) > 0) return;
    this.emptied.get(key)?.();
    this.emptied.delete(key);
  }

  private count(tasks: Iterable<Task>, database: number): number {
    let count = 0;
    for (const task of tasks) if (task.database.key === database) count++;
    return count;
  }
}

/** The threads of this process. */
export const processThreads = new QueryThreads();
