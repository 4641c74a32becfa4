import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, existsSync, readdirSync, rmSync, statSync, unlinkSync } from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EdgeError } from '@edgesync/errors';
import type { BlobContent, BlobInfo } from '@edgesync/ports';
import type { BundlePaths } from '../bundle.js';
import { errorCode, toStorageError } from '../storage-error.js';
import { makeDirectory, PRIVATE_FILE, syncDirectory } from '../files.js';

const DIGEST = /^sha1-([A-Za-z0-9+/]{27}=)$/;

/** Expectations that an upload is checked against. */
export interface UploadChecks {
  readonly expected?: Partial<BlobInfo>;
  /** Most bytes taken. */
  readonly limit: number;
}

/** Blob contents as files named by their digest: `blobs/<first byte>/<hex>`. */
export class BlobFiles {
  /** Digests whose file stands or is about to, but whose registration is not committed yet. */
  private readonly arriving = new Map<string, number>();
  /** Work that {@link close} waits for. */
  private readonly registrations = new Set<Promise<void>>();
  private closed = false;

  constructor(private readonly paths: BundlePaths) {}

  /** Makes the directories, where they are missing, and removes what cut-off uploads left. */
  prepare(): void {
    makeDirectory(this.paths.uploads);
    for (const name of readdirSync(this.paths.uploads)) rmSync(join(this.paths.uploads, name), { recursive: true });
    makeDirectory(this.paths.blobs);
  }

  /** Lets uploads finish that have arrived in full; the others fail with their next piece. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.allSettled(this.registrations);
  }

  /**
   * Writes content under its digest: to a temporary name, synced, renamed, and the directory synced. Then `register`
   * makes it known; until that is done the file cannot be removed.
   * @throws EdgeError `blob.too-large`, `blob.invalid`, `storage.closed`
   */
  async store(
    content: Uint8Array | AsyncIterable<Uint8Array>,
    { expected, limit }: UploadChecks,
    register: (info: BlobInfo) => Promise<void>,
  ): Promise<BlobInfo> {
    const temporary = join(this.paths.uploads, randomUUID());
    const file = await open(temporary, 'wx', PRIVATE_FILE);
    try {
      const hash = createHash('sha1');
      let length = 0;
      try {
        for await (const chunk of content instanceof Uint8Array ? [content] : content) {
          this.checkOpen();
          length += chunk.byteLength;
          if (length > limit) throw new EdgeError('blob.too-large');
          hash.update(chunk);
          for (let written = 0; written < chunk.byteLength;)
            written += (await file.write(chunk, written, chunk.byteLength - written)).bytesWritten;
        }
        await file.sync();
      } finally {
        await file.close();
      }
      const info = { digest: `sha1-${hash.digest('base64')}`, length };
      checkContent(info, expected);
      this.checkOpen();
      const registration = this.whileArriving(info.digest, async () => {
        await this.adopt(temporary, info.digest);
        await register(info);
      });
      this.registrations.add(registration);
      try {
        await registration;
      } finally {
        this.registrations.delete(registration);
      }
      return info;
    } catch (error) {
      await unlink(temporary).catch(() => undefined);
      throw error;
    }
  }

  open(info: BlobInfo): BlobContent {
    const file = this.pathOf(info.digest);
    return { digest: info.digest, length: info.length, read: (range) => readFile(file, range) };
  }

  /** Whether the file is there and has the content its name says. */
  async matches({ digest, length }: BlobInfo): Promise<boolean> {
    const file = this.pathOf(digest);
    if (!existsSync(file) || statSync(file).size !== length) return false;
    const hash = createHash('sha1');
    for await (const chunk of createReadStream(file)) hash.update(chunk as Uint8Array);
    return `sha1-${hash.digest('base64')}` === digest;
  }

  /** Removes a file that is no longer registered. */
  remove(digest: string): void {
    if (this.arriving.has(digest)) return;
    try {
      unlinkSync(this.pathOf(digest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }

  /** Digests of all stored files. */
  *digests(): Iterable<string> {
    for (const folder of readdirSync(this.paths.blobs)) {
      if (!/^[0-9a-f]{2}$/.test(folder)) continue;
      for (const name of readdirSync(join(this.paths.blobs, folder)))
        if (/^[0-9a-f]{40}$/.test(name)) yield `sha1-${Buffer.from(name, 'hex').toString('base64')}`;
    }
  }

  private checkOpen(): void {
    if (this.closed) throw new EdgeError('storage.closed');
  }

  private async whileArriving(digest: string, action: () => Promise<void>): Promise<void> {
    this.arriving.set(digest, (this.arriving.get(digest) ?? 0) + 1);
    try {
      await action();
    } finally {
      const left = this.arriving.get(digest)! - 1;
      if (left > 0) this.arriving.set(digest, left);
      else this.arriving.delete(digest);
    }
  }

  private async adopt(temporary: string, digest: string): Promise<void> {
    const target = this.pathOf(digest);
    const folder = dirname(target);
    makeDirectory(folder);
    await rename(temporary, target);
    syncDirectory(folder);
  }

  /** @throws EdgeError `blob.invalid` for text that is not a digest */
  pathOf(digest: string): string {
    const match = DIGEST.exec(digest);
    if (!match) throw new EdgeError('blob.invalid', 'the digest must be sha1- and 28 base64 characters');
    const hex = Buffer.from(match[1]!, 'base64').toString('hex');
    return join(this.paths.blobs, hex.slice(0, 2), hex);
  }
}

function checkContent(actual: BlobInfo, expected: Partial<BlobInfo> | undefined): void {
  if (expected?.length !== undefined && expected.length !== actual.length)
    throw new EdgeError('blob.invalid', `the blob has ${actual.length} bytes instead of ${expected.length}`);
  if (expected?.digest !== undefined && expected.digest !== actual.digest)
    throw new EdgeError('blob.invalid', `the blob’s digest is ${actual.digest} instead of ${expected.digest}`);
}

async function* readFile(file: string, range?: { start: number; end: number }): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of createReadStream(file, range)) yield chunk as Uint8Array;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') throw new EdgeError('blob.missing');
    throw toStorageError(error);
  }
}
