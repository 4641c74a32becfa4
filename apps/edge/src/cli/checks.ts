import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import type { MachineChecks } from '@edgesync/config-files';
import { loadSettings } from '@edgesync/config-files';
import { count } from './amounts.js';
import type { CommandLineIo } from './main.js';
import { configOf } from './users-file.js';

/** A server that does not answer within this time is not ready. Milliseconds. */
const PATIENCE_MS = 4_000;

/**
 * `--check-config`: everything that a start would check, without starting.
 * @throws ConfigError with every issue
 */
export function checkConfig(configFile: string, checks: MachineChecks, io: CommandLineIo): void {
  const { config, users, warnings } = loadSettings(configFile, checks);
  for (const warning of warnings) io.err(`warning: ${warning}`);
  const facts = [
    count(config.databases.size, 'database'),
    ...(config.usersFile === undefined ? [] : [count(users.size, 'user')]),
    ...(config.replications.length === 0 ? [] : [count(config.replications.length, 'replication')]),
  ];
  io.out(
    `${configFile} is valid: ${facts.join(', ')}${warnings.length > 0 ? `; ${count(warnings.length, 'warning')}` : ''}.`,
  );
}

/**
 * `--check-ready`: asks the server of a configuration, on this machine, whether it is ready.
 * @throws Error if it is not
 */
export async function checkReady(configFile: string, port: number | undefined, io: CommandLineIo): Promise<void> {
  const { listen, https } = configOf(configFile);
  const wildcards: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };
  const options = { host: wildcards[listen.host] ?? listen.host, port: port ?? listen.port, path: '/_ready' };
  const url = `${https ? 'https' : 'http'}://${options.host.includes(':') ? `[${options.host}]` : options.host}:${options.port}/_ready`;
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const answer = await new Promise<{ status: number; body: string }>((resolve, reject) => {
    const sent = https
      ? // The certificate is for the names that clients use, and this connection does not leave the machine.
        httpsRequest({ ...options, rejectUnauthorized: false, signal })
      : httpRequest({ ...options, signal });
    sent.on('response', (response) => {
      text(response).then((body) => resolve({ status: response.statusCode!, body }), reject);
    });
    sent.on('error', (error) => reject(new Error(`${url} does not answer: ${error.message}`, { cause: error })));
    sent.end();
  });
  if (answer.status !== 200) throw new Error(`${url} answers ${answer.status}: ${answer.body.trim()}`);
  io.out(`${url} is ready.`);
}
