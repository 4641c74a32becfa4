import { Bus, isRefusal } from '@edgesync/bus-nats';
import { ConfigError } from '@edgesync/config-files';
import { explain } from '@edgesync/errors';
import type { Launch } from '@edgesync/platform';
import type { ServiceRole, ServiceSettings } from './service-settings.js';

/** A NATS server that stays away is mentioned this often. Milliseconds. */
const REMIND_MS = 60_000;

/**
 * Connects to NATS for as long as the process lives; waits for a server that is not there yet.
 * @throws ConfigError if NATS refuses the credentials, or has a certificate that is not trusted
 */
export async function connectBus(
  role: ServiceRole,
  { nats }: Pick<ServiceSettings, 'nats'>,
  { loggers, lifetime, signal }: Pick<Launch, 'loggers' | 'lifetime' | 'signal'>,
): Promise<Bus> {
  const log = loggers.domain('Default');
  const servers = nats.servers.join(', ');
  let mentioned = -Infinity;
  try {
    const bus = await Bus.connect({
      ...nats,
      name: role,
      report: (error) => {
        if (performance.now() - mentioned < REMIND_MS) return;
        mentioned = performance.now();
        log.warning(`waiting for NATS at ${servers}: ${explain(error)}`);
      },
      signal,
    });
    if (mentioned > -Infinity) log.warning(`connected to NATS at ${servers}`);
    return lifetime.adopt(bus, (connected) => connected.close());
  } catch (error) {
    if (isRefusal(error)) throw refusedCredentials(servers, nats.user);
    throw isUntrusted(error) ? untrustedCertificate(servers, explain(error)) : error;
  }
}

/** Codes of certificates that are not trusted, as Node and OpenSSL have them. */
const UNTRUSTED = /CERT|UNABLE_TO_(?:GET|VERIFY)/;

function isUntrusted(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (UNTRUSTED.test(String((cause as NodeJS.ErrnoException).code ?? ''))) return true;
  return false;
}

function untrustedCertificate(servers: string, reason: string): ConfigError {
  const problem = `does not vouch for the certificate of NATS at ${servers}: ${reason}`;
  const fix = 'Name the CA that signed it, and reach NATS by a name of the certificate.';
  return new ConfigError([{ file: 'environment', path: 'EDGESYNC_NATS_CA_FILE', problem, fix }]);
}

function refusedCredentials(servers: string, user: string | undefined): ConfigError {
  const [path, problem, fix] =
    user === undefined
      ? ['EDGESYNC_NATS_USER', `is not set, and NATS at ${servers} asks for a user`, 'Set user and password.']
      : [
          'EDGESYNC_NATS_PASSWORD_FILE',
          `holds a password that NATS at ${servers} refuses for the user ${user}`,
          'Give NATS and all services the same user and password.',
        ];
  return new ConfigError([{ file: 'environment', path, problem, fix }]);
}
