import { describe, expect, it } from 'vitest';
import { EdgeSandbox, type EdgeProcess } from './testing/edge-process.js';

interface Row {
  readonly id: string;
  readonly rev?: string;
  readonly doc: { readonly _rev: string; readonly n: number };
}

interface Task {
  readonly status: string;
  readonly error?: unknown;
  readonly task_id: number;
}

const JSON_TYPE = { 'Content-Type': 'application/json' };

const get = async <Answer>(url: string): Promise<Answer> => (await (await fetch(url)).json()) as Answer;

/** Documents by ID, with their revisions. */
async function documents({ url }: EdgeSandbox): Promise<Record<string, string>> {
  const { rows } = await get<{ rows: Row[] }>(`${url}/db/_all_docs?include_docs=true`);
  return Object.fromEntries(rows.map(({ id, doc }) => [id, `${doc._rev} ${doc.n}`]));
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition().catch(() => false))) await new Promise((resolve) => setTimeout(resolve, 20));
}

const idle = async ({ url }: EdgeSandbox): Promise<boolean> => {
  const tasks = await get<Task[]>(`${url}/_replicate`);
  return tasks.length > 0 && tasks.every(({ status, error }) => status === 'Idle' && error === undefined);
};

/** A sandbox whose server replicates both ways with another one. */
const downstreamOf = (upper: EdgeSandbox): Promise<EdgeSandbox> =>
  EdgeSandbox.create(
    {},
    {
      replications: [
        { source: 'db', target: `${upper.url.replace('http', 'ws')}/db`, bidirectional: true, continuous: true },
      ],
    },
  );

describe('replication between servers', () => {
  it('carries documents both ways as the configuration says, and apps and feeds see them at once', async () => {
    using upper = await EdgeSandbox.create();
    using lower = await downstreamOf(upper);
    await using _upperServer = await upper.start();
    await using lowerServer = await lower.start();
    await until(() => idle(lower));
    const feed = get<{ results: { id: string }[] }>(`${upper.url}/db/_changes?feed=longpoll&since=0`);
    await fetch(`${lower.url}/db/up`, { method: 'PUT', headers: JSON_TYPE, body: '{"n":1}' });
    expect((await feed).results.map(({ id }) => id)).toEqual(['up']);
    const tasks = await get<Task[]>(`${lower.url}/_active_tasks`);
    expect(tasks).toMatchObject([{ task_id: 1, type: 'replication', status: 'Idle' }]);
    expect((await fetch(`${lower.url}/_replicate/1`, { method: 'DELETE' })).status).toBe(200);
    await until(async () => (await get<Task[]>(`${lower.url}/_replicate`))[0]?.status === 'Stopped');
    expect(await lowerServer.end('SIGTERM')).toBe(0);
  });

  it('loses nothing and sends nothing twice, whichever server is killed at whatever instant', async () => {
    using upper = await EdgeSandbox.create();
    using lower = await downstreamOf(upper);
    const sandboxes = [upper, lower];
    const servers: EdgeProcess[] = [await upper.start(), await lower.start()];
    const acknowledged = new Map<string, number>();
    let isOver = false;
    const write = async (sandbox: EdgeSandbox, name: string): Promise<void> => {
      for (let n = 0; !isOver; n++) {
        const id = `${name}-${n}`;
        try {
          const answer = await fetch(`${sandbox.url}/db/${id}`, {
            method: 'PUT',
            headers: JSON_TYPE,
            body: JSON.stringify({ n, text: 'x'.repeat(300) }),
          });
          if (answer.status === 201) acknowledged.set(id, n);
        } catch {
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
    };
    const writers = sandboxes.flatMap((sandbox, side) =>
      ['a', 'b'].map((name) => write(sandbox, `${side === 0 ? 'upper' : 'lower'}-${name}`)),
    );
    try {
      for (let kill = 0; kill < 6; kill++) {
        const side = kill % 2;
        await new Promise((resolve) => setTimeout(resolve, 200 + Math.random() * 800));
        await servers[side]!.end('SIGKILL');
        servers[side] = await sandboxes[side]!.start();
      }
      isOver = true;
      await Promise.all(writers);
      expect(acknowledged.size).toBeGreaterThan(100);
      await until(async () => {
        const [above, below] = await Promise.all(sandboxes.map(documents));
        return JSON.stringify(above) === JSON.stringify(below) && (await idle(lower));
      });
      const all = await documents(upper);
      const missing = [...acknowledged].filter(([id, n]) => all[id]?.split(' ')[1] !== String(n));
      expect(missing).toEqual([]);
      expect(Object.values(all).filter((text) => !text.startsWith('1-'))).toEqual([]);
    } finally {
      isOver = true;
      for (const server of servers) await server[Symbol.asyncDispose]();
    }
  }, 60_000);
});
