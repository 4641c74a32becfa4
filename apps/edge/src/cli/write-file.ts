import { sync } from 'write-file-atomic';

/** Why a file cannot be written, by error code. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'its directory does not exist',
  ENOTDIR: 'its directory is a file',
  EACCES: 'its directory does not permit it',
  EPERM: 'its directory does not permit it',
  EROFS: 'the file system is read-only',
};

/**
 * Replaces a file by new content: readers see the old or the new one, never a part, also after a crash. A symbolic link
 * stays, and a replaced file keeps its owner as far as this process may give files away.
 * @param mode permissions of the file from its first moment
 * @throws Error in the words of the file, not of the temporary one
 */
export function writeFileAtomically(path: string, content: string, mode: number): void {
  try {
    sync(path, content, { mode });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(`${path} cannot be written: ${REASONS[code ?? ''] ?? message}`, { cause: error });
  }
}
