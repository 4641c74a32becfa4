import { EdgeError } from '@edgesync/errors';
import { generationOf } from './rev-id.js';
import { isSourceId, LEGACY_SOURCE } from './source-id.js';

/**
 * A version: who changed the document, and when by the hybrid clock of that database
 * (docs/protocol/revisions.md#version-text).
 */
export interface Version {
  /** Nanoseconds since the Unix epoch, the low 16 bits being a counter; unsigned, 64 bits. */
  readonly time: bigint;
  readonly source: string;
}

/** Any source without separators, as Sync Gateway takes it; {@link isWireVersion} is the strict form. */
const VERSION = /^[1-9a-f][0-9a-f]{0,15}@[^@,;\s*]+$/;

/** Whether the text is `time@source` with any source that holds no separator. */
export function isVersionSyntax(text: string): boolean {
  return VERSION.test(text);
}

/** Whether the text is a version every peer accepts: 64-bit time without leading zeros, a source of 16 bytes. */
export function isWireVersion(text: string): boolean {
  return VERSION.test(text) && isSourceId(versionSource(text));
}

/** @throws EdgeError `version.invalid` */
export function parseVersion(text: string): Version {
  if (!VERSION.test(text)) throw new EdgeError('version.invalid', `invalid version "${text.slice(0, 80)}"`);
  return { time: BigInt(`0x${versionTime(text)}`), source: versionSource(text) };
}

export function formatVersion({ time, source }: Version): string {
  return `${time.toString(16)}@${source}`;
}

/** The hex time of a version text. */
export function versionTime(version: string): string {
  return version.slice(0, version.indexOf('@'));
}

/** The source of a version text. */
export function versionSource(version: string): string {
  return version.slice(version.indexOf('@') + 1);
}

/**
 * Order of hex times as written, '' standing for "never". They have no leading zeros, so the longer one is greater and
 * equal lengths compare as text: no number is built.
 */
export function compareTimes(left: string, right: string): number {
  if (left.length !== right.length) return left.length - right.length;
  return left === right ? 0 : left < right ? -1 : 1;
}

/** Rank among unrelated versions: the later time, then the greater source. Every peer ranks a pair alike. */
export function compareVersionsByTime(left: string, right: string): number {
  const byTime = compareTimes(versionTime(left), versionTime(right));
  if (byTime !== 0) return byTime;
  return left === right ? 0 : left < right ? -1 : 1;
}

/**
 * The version a rev-tree ID is known by where only versions are possible (docs/protocol/revisions.md#legacy-versions):
 * the low 24 bits of the generation, then the first 40 bits of the digest, at {@link LEGACY_SOURCE}.
 */
export function legacyVersionOf(rev: string): string {
  const generation = BigInt(generationOf(rev) & 0xffffff);
  const digest = rev.slice(rev.indexOf('-') + 1, rev.indexOf('-') + 11).padEnd(10, '0');
  return formatVersion({ time: (generation << 40n) | BigInt(`0x${digest}`), source: LEGACY_SOURCE });
}

/** Whether a version stands for a rev-tree ID. */
export function isLegacyVersion(version: string): boolean {
  return version.endsWith(`@${LEGACY_SOURCE}`);
}
