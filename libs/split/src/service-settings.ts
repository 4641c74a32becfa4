import { readFileSync } from 'node:fs';
import { didYouMean, parseListenAddress, type ConfigIssue, type ListenAddress } from '@edgesync/config';
import { ConfigError } from '@edgesync/config-files';

/** Settings of a split service from the environment; the configuration file has the rest. */
export interface ServiceSettings {
  readonly configFile: string;
  readonly nats: NatsSettings;
  /** NATS servers that keep a copy of the leases: 1, 3 or 5. */
  readonly leaseReplicas: number;
  /** The port for the other services and for monitoring. */
  readonly listen: ListenAddress;
  /** Host under which other services reach this one, if its own address does not serve. */
  readonly advertise?: string;
  /** Shared by gateways and replication workers; absent where it is not needed. */
  readonly handshakeSecret?: string;
}

export interface NatsSettings {
  readonly servers: readonly string[];
  readonly user?: string;
  readonly password?: string;
  readonly tls?: { readonly caFile: string };
}

export type ServiceRole = 'gateway' | 'replication' | 'storage';

const DEFAULT_LISTEN: ListenAddress = { host: '0.0.0.0', port: 59841 };
/** Guessing a secret of this many characters is hopeless, if it is random. */
const SHORTEST_SECRET = 32;

const NAMES = {
  config: 'EDGESYNC_CONFIG',
  natsUrl: 'EDGESYNC_NATS_URL',
  natsUser: 'EDGESYNC_NATS_USER',
  natsPasswordFile: 'EDGESYNC_NATS_PASSWORD_FILE',
  natsCaFile: 'EDGESYNC_NATS_CA_FILE',
  leaseReplicas: 'EDGESYNC_LEASE_REPLICAS',
  secretFile: 'EDGESYNC_HANDSHAKE_SECRET_FILE',
  listen: 'EDGESYNC_LISTEN',
  advertise: 'EDGESYNC_ADVERTISE',
} as const;
const PREFIX = 'EDGESYNC_';

/**
 * Reads the variables `EDGESYNC_…`. Those that another service needs are ignored, those that none knows are issues.
 * @throws ConfigError with every fault; it shows no secret
 */
export function readServiceSettings(
  role: ServiceRole,
  environment: Readonly<Record<string, string | undefined>>,
): ServiceSettings {
  const issues: ConfigIssue[] = [];
  const refuse = (path: string, problem: string, fix: string): undefined =>
    void issues.push({ file: 'environment', path, problem, fix });
  const text = (name: string): string | undefined => environment[name]?.trim() || undefined;
  const required = (name: string, example: string): string =>
    text(name) ?? refuse(name, 'is missing', `Set it, for instance to ${example}.`) ?? '';
  const content = (name: string): string | undefined => {
    const file = text(name);
    if (file === undefined) return undefined;
    try {
      const found = readFileSync(file, 'utf8').trim();
      return found === ''
        ? refuse(name, `names ${file}, which is empty`, 'Fill the file, or name another one.')
        : found;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return refuse(name, `names ${file}, which cannot be read (${code})`, 'Check the path and the permissions.');
    }
  };

  const known: readonly string[] = Object.values(NAMES);
  for (const name of Object.keys(environment))
    if (name.startsWith(PREFIX) && !known.includes(name)) {
      const meant = didYouMean(name, known);
      refuse(name, 'is no setting', meant === undefined ? `Known are ${known.join(', ')}.` : `Did you mean ${meant}?`);
    }

  const configFile = required(NAMES.config, '/etc/edgesync/config.json5');
  const servers = required(NAMES.natsUrl, 'nats://nats:4222')
    .split(',')
    .map((url) => url.trim());
  if (text(NAMES.natsUrl) !== undefined && !servers.every(isNatsUrl))
    refuse(
      NAMES.natsUrl,
      'is not a list of NATS servers',
      'Write nats://host:port or tls://host:port, with commas between.',
    );

  const user = text(NAMES.natsUser);
  const password = content(NAMES.natsPasswordFile);
  if ((user === undefined) !== (text(NAMES.natsPasswordFile) === undefined))
    refuse(user === undefined ? NAMES.natsUser : NAMES.natsPasswordFile, 'is missing', 'Set both or neither.');
  const caFile = text(NAMES.natsCaFile);
  content(NAMES.natsCaFile);

  const replicas = text(NAMES.leaseReplicas) ?? '1';
  if (!['1', '3', '5'].includes(replicas)) refuse(NAMES.leaseReplicas, 'is not 1, 3 or 5', 'Write one of these.');

  const listenText = text(NAMES.listen);
  const listen = listenText === undefined ? DEFAULT_LISTEN : parseListenAddress(listenText);
  if (typeof listen === 'string') refuse(NAMES.listen, listen, 'Write host:port, such as 0.0.0.0:59841.');
  const advertise = text(NAMES.advertise);
  if (advertise !== undefined && !/^[\w.:-]+$/.test(advertise))
    refuse(NAMES.advertise, 'is not a host name or address', 'Write it without scheme and port.');

  const needsSecret = role !== 'storage';
  if (needsSecret) required(NAMES.secretFile, '/run/secrets/handshake');
  const handshakeSecret = needsSecret ? content(NAMES.secretFile) : undefined;
  if (handshakeSecret !== undefined && handshakeSecret.length < SHORTEST_SECRET)
    refuse(
      NAMES.secretFile,
      `names a file with fewer than ${SHORTEST_SECRET} characters`,
      'Make a secret with "openssl rand -base64 48".',
    );

  if (issues.length > 0 || typeof listen === 'string') throw new ConfigError(issues);
  return {
    configFile,
    nats: {
      servers,
      ...(user !== undefined && password !== undefined && { user, password }),
      ...(caFile !== undefined && { tls: { caFile } }),
    },
    leaseReplicas: Number(replicas),
    // Of the name Fastify would make two servers.
    listen: listen.host === 'localhost' ? { ...listen, host: '127.0.0.1' } : listen,
    ...(advertise !== undefined && { advertise }),
    ...(handshakeSecret !== undefined && { handshakeSecret }),
  };
}

function isNatsUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  // A password in the URL would show in the list of processes' environments and in logs.
  return ['nats:', 'tls:'].includes(protocol) && hostname !== '' && username === '' && password === '';
}
