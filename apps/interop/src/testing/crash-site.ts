import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServerProcess } from '../crash/server-process.js';

/** Processes that serve a database `db`, and that are killed while it is used. */
export interface CrashSite extends AsyncDisposable {
  readonly port: number;
  /** Directory of the database. */
  readonly bundle: string;
  /** How often to crash it where the all-in-one is crashed so many times: starting again takes some deployments long. */
  crashes(times: number): number;
  /**
   * Kills a process, or several at once, and starts them again. Resolves before they serve.
   * @param whileDown called with the bundle if nobody has the database open between the one and the other
   */
  crash(whileDown?: (bundle: string) => Promise<void>): Promise<void>;
  /** Resolves when the database is served. */
  ready(): Promise<void>;
  /** Ends everything in good order. */
  stop(): Promise<void>;
}

let opener: () => Promise<CrashSite> = openAllInOne;

/** Lets {@link openCrashSite} start another deployment than the all-in-one. */
export function deployCrashSitesWith(other: () => Promise<CrashSite>): void {
  opener = other;
}

/** Starts processes that serve a new database, writable by everybody over REST and sync. */
export const openCrashSite = (): Promise<CrashSite> => opener();

async function openAllInOne(): Promise<CrashSite> {
  const folder = mkdtempSync(join(tmpdir(), 'edgesync-crash-'));
  let server = await ServerProcess.start(folder, 0);
  const { port } = server;
  const bundle = join(folder, 'db.cblite2');
  return {
    port,
    bundle,
    crashes: (times) => times,
    crash: async (whileDown) => {
      await server.end('SIGKILL');
      await whileDown?.(bundle);
      server = await ServerProcess.start(folder, port);
    },
    ready: async () => {},
    stop: () => server.end('SIGTERM'),
    [Symbol.asyncDispose]: async () => {
      await server.end('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
