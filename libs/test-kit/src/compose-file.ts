import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export const REPOSITORY = join(import.meta.dirname, '../../..');

/** The part of a service in the compose file that tests use. */
export interface ComposeService {
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly ports?: readonly string[];
  readonly secrets?: readonly string[];
  readonly networks?: readonly string[];
  readonly profiles?: readonly string[];
  readonly user?: string;
  readonly read_only?: boolean;
  readonly restart?: string;
  readonly cap_drop?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly deploy?: { readonly resources: { readonly limits: { readonly cpus: string; readonly memory: string } } };
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

/** The command of the image, for services without an entry point of their own. */
export interface Image {
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
}

export function readDockerfile(): Image {
  const text = readFileSync(join(REPOSITORY, 'Dockerfile'), 'utf8');
  const list = (instruction: string): readonly string[] =>
    JSON.parse(new RegExp(`^${instruction} (\\[.*\\])$`, 'm').exec(text)![1]!) as readonly string[];
  return { entrypoint: list('ENTRYPOINT'), command: list('CMD') };
}

/** The compose file of the repository, merged and with `$$` taken back to `$`. */
export function readComposeFile(): ComposeFile {
  const text = readFileSync(join(REPOSITORY, 'docker-compose.yml'), 'utf8');
  return parse(text.replaceAll('$$', '$'), { merge: true }) as ComposeFile;
}
