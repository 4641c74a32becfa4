import { randomUUID } from 'node:crypto';
import type { Repository } from 'typeorm';
import type { MetaEntity } from './entities/meta.entity.js';

/** Row of the UUID in `meta`. */
export const UUID_KEY = 'uuid';

/**
 * The database's public UUID: 32 lower-case hex digits. Versions minted here carry its bytes as their source ID, so a
 * clone must get a new one before it is written. A backup has none until it is opened for the first time.
 *
 * @param placeholder a UUID that marks files cloned from a master image: it is replaced by a fresh one
 * (docs/protocol/edge-server.md#databases)
 */
export async function loadUuid(repository: Repository<MetaEntity>, placeholder?: string): Promise<string> {
  const stored = await repository.findOneBy({ key: UUID_KEY });
  if (stored && (placeholder === undefined || stored.value !== normalise(placeholder))) return stored.value;
  return replaceUuid(repository);
}

/** Gives the database a fresh UUID. */
export async function replaceUuid(repository: Repository<MetaEntity>): Promise<string> {
  const value = normalise(randomUUID());
  await repository.save(repository.create({ key: UUID_KEY, value }));
  return value;
}

const normalise = (uuid: string): string => uuid.replaceAll('-', '').toLowerCase();
