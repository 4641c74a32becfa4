import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { isEdgeError } from '@edgesync/errors';
import { toStorageError } from '../storage-error.js';
import { CONTROL, type FromThread, type StatementJob, type ToThread } from './messages.js';
import { Outlet, Stopped } from './outlet.js';
import { StatementRunner } from './statement-runner.js';
import { THREAD_NICENESS } from './tuning.js';

// A thread that runs statements. Everything here is synchronous: while one runs, the thread reads the cells that it
// shares with its owner, and no message but the mail that a cell announces.

const port = parentPort!;
const control = workerData as Int32Array;
const databases = new Map<number, StatementRunner>();

const post = (message: FromThread): void => port.postMessage(message);

function receive(message: ToThread): void {
  switch (message.type) {
    case 'attach':
      databases.set(message.database.key, new StatementRunner(message.database));
      return;
    case 'detach':
      databases.get(message.database)?.close();
      databases.delete(message.database);
      return post({ type: 'detached', database: message.database });
    default:
      return run(message);
  }
}

function readMail(): void {
  Atomics.store(control, CONTROL.mail, 0);
  for (let mail = receiveMessageOnPort(port); mail; mail = receiveMessageOnPort(port))
    receive(mail.message as ToThread);
}

function run(job: StatementJob): void {
  const { id, type } = job;
  try {
    const runner = databases.get(job.database)!;
    if (type === 'explain') post({ type: 'plan', id, plan: runner.explain(job) });
    else {
      const outlet = new Outlet(id, control, post, readMail);
      const summary = runner.run(job, outlet);
      post({ type: 'end', id, ...outlet.take(), summary });
    }
  } catch (error) {
    post(faultOf(id, error));
  }
}

function faultOf(id: number, error: unknown): FromThread {
  if (error instanceof Stopped) return { type: 'fault', id, code: 'query.runtime', reason: 'stopped' };
  const fault = toStorageError(error);
  const isInternal = !isEdgeError(error);
  return {
    type: 'fault',
    id,
    code: fault.code,
    reason: fault.message,
    ...(isInternal && { internal: String((error as Error).stack ?? error) }),
  };
}

/** On Linux a thread has a nice value of its own: threads that serve requests go first. */
function lowerPriority(): void {
  try {
    setPriority(Number(readlinkSync('/proc/thread-self').split('/').at(-1)), THREAD_NICENESS);
  } catch {
    // Other systems have none.
  }
}

lowerPriority();
port.on('message', receive);
