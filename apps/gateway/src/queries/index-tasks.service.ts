import { Inject, Injectable } from '@nestjs/common';
import type { EdgeConfig } from '@edgesync/config';
import { formatCollection } from '@edgesync/document';
import { ACTIVE_TASKS, EDGE_CONFIG, STORAGE, type ActiveTasks, type ShownTask } from '@edgesync/platform';
import type { QueryRunner } from '@edgesync/ports';

/** Shows the indexes that are being built among the active tasks, wherever storage runs. */
@Injectable()
export class IndexTasks {
  /** Numbers and beginnings of the builds that were seen. */
  private readonly seen = new Map<string, { readonly id: number; readonly since: number }>();

  constructor(
    @Inject(STORAGE) private readonly storage: QueryRunner,
    @Inject(EDGE_CONFIG) config: EdgeConfig,
    @Inject(ACTIVE_TASKS) private readonly tasks: ActiveTasks,
  ) {
    const databases = [...config.databases.values()].filter(({ indexes }) => indexes !== undefined && indexes.size > 0);
    if (databases.length > 0) tasks.include(() => this.list(databases.map(({ name }) => name)));
  }

  private async list(databases: readonly string[]): Promise<ShownTask[]> {
    const lists = await Promise.all(databases.map((database) => this.builds(database)));
    const builds = lists.flat();
    const current = new Set(builds.map(({ key }) => key));
    for (const key of this.seen.keys()) if (!current.has(key)) this.seen.delete(key);
    return builds.map(({ task }) => task);
  }

  private async builds(database: string): Promise<{ key: string; task: ShownTask }[]> {
    // A storage that cannot answer now shows nothing; the other tasks are shown all the same.
    const statuses = await this.storage.indexes(database).catch(() => []);
    return statuses
      .filter(({ state }) => state === 'building')
      .map(({ name, collection, done, total }) => {
        const key = JSON.stringify([database, name]);
        let build = this.seen.get(key);
        if (!build) this.seen.set(key, (build = { id: this.tasks.nextId(), since: Date.now() }));
        const age = Math.max(0, Math.floor((Date.now() - build.since) / 1_000));
        const ks = `${database}.${formatCollection(collection)}`;
        return { key, task: { task_id: build.id, type: 'index', age_secs: age, ks, index: name, done, total } };
      });
  }
}
