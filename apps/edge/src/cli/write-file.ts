import {
  chownSync,
  closeSync,
  fchmodSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { randomBytes } from 'node:crypto';

/**
 * Replaces a file by new content: whoever reads it sees the old or the new one, never a part, also after a crash. A
 * symbolic link stays, and a replaced file keeps its owner as far as this process may give files away.
 * @param mode permissions of the file from its first moment
 */
export function writeFileAtomically(path: string, content: string, mode: number): void {
  const target = realPath(path);
  const previous = statSync(target, { throwIfNoEntry: false });
  const temporary = `${target}.${randomBytes(6).toString('hex')}.tmp`;
  const fd = create(temporary, mode, target);
  try {
    try {
      fchmodSync(fd, mode);
      writeSync(fd, content);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    if (previous) keepOwner(temporary, previous);
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** @throws Error in the words of the file that was asked for, not of the temporary one */
function create(temporary: string, mode: number, target: string): number {
  try {
    return openSync(temporary, 'wx', mode);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === undefined ? undefined : REASONS[code];
    throw reason === undefined ? error : new Error(`${target} cannot be written: ${reason}`, { cause: error });
  }
}

/** Why a file cannot be made, by error code. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'its directory does not exist',
  ENOTDIR: 'its directory is a file',
  EACCES: 'its directory does not permit it',
  EPERM: 'its directory does not permit it',
  EROFS: 'the file system is read-only',
};

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function keepOwner(path: string, { uid, gid }: { uid: number; gid: number }): void {
  try {
    chownSync(path, uid, gid);
  } catch {
    // Only root may give files away; the file then belongs to whoever runs the command.
  }
}
