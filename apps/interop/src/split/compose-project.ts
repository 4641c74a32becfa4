import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import {
  freePort,
  installedProgram,
  readComposeFile,
  readDockerfile,
  REPOSITORY,
  startNatsProxy,
  type ComposeService,
  type NatsProxy,
} from '@edgesync/test-kit';

/** The output of the compiler, unless `EDGESYNC_MAIN` names a build. */
const SHIPPED = process.env['EDGESYNC_MAIN'];
const PROGRAM = /\/opt\/edgesync\/bundle\/(\w+)\.js/g;
const SERVED_AT = /\b(?:0\.0\.0\.0|127\.0\.0\.1|nats):(4222|8222|59840|59841)\b/g;
const HEALTH_URL = /http:\/\/127\.0\.0\.1:\d+\/\w+/;
const POLL_MS = 25;
/** Where the services have their users. */
const USERS = '/var/lib/edgesync-users';

export interface ProjectOptions {
  /** Starts the services of this profile instead of those without one. */
  readonly profile?: string;
  /** Copies of services; one if absent. */
  readonly scale?: Readonly<Record<string, number>>;
  /** In place of the mounted configuration file; paths are those of the containers. */
  readonly config?: object;
  /** Users to add, with their passwords. */
  readonly users?: Readonly<Record<string, string>>;
  /** Puts {@link ComposeProject.network} between the services and NATS. */
  readonly badNetwork?: boolean;
}

/**
 * The services of the compose file as processes: its commands, its environment, its mounts, its secrets. Paths of the
 * containers become paths below a temporary folder, addresses become ports of loopback.
 */
export class ComposeProject implements AsyncDisposable {
  readonly root = mkdtempSync(join(tmpdir(), 'edgesync-split-'));
  private readonly file = readComposeFile();
  private readonly image = readDockerfile();
  private readonly shared = new Map<string, number>();
  private readonly running = new Map<string, ServiceProcess[]>();
  private proxy: NatsProxy | undefined;

  private constructor(private readonly options: ProjectOptions) {}

  /** Starts everything and resolves when every service says that it is ready. */
  static async up(options: ProjectOptions = {}): Promise<ComposeProject> {
    const project = new ComposeProject(options);
    await project.start();
    return project;
  }

  /** The copies of a service. */
  of(name: string): readonly ServiceProcess[] {
    return this.running.get(name) ?? [];
  }

  one(name: string): ServiceProcess {
    return this.of(name)[0]!;
  }

  /** All traffic between services and NATS passes here, if that was asked for. */
  get network(): NatsProxy {
    return this.proxy!;
  }

  get natsUrl(): string {
    return `nats://127.0.0.1:${this.shared.get('4222')}`;
  }

  /** Starts one more copy of a service. */
  async add(name: string): Promise<ServiceProcess> {
    const copies = this.running.get(name) ?? [];
    this.running.set(name, copies);
    const service = await this.prepare(name, this.file.services[name]!, copies.length);
    copies.push(service);
    service.start();
    await service.ready();
    return service;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.running.values()].flat().map((service) => service.end('SIGKILL')));
    await this.proxy?.close();
    rmSync(this.root, { recursive: true, force: true });
  }

  private async start(): Promise<void> {
    installedProgram('nats-server', '"sudo apt-get install nats-server" or from https://nats.io/download');
    for (const port of ['4222', '8222']) this.shared.set(port, await freePort());
    this.makeSecrets();
    const { profile, scale = {}, badNetwork } = this.options;
    if (badNetwork) this.proxy = await startNatsProxy(Number(this.shared.get('4222')));
    const names = Object.entries(this.file.services).filter(([, { profiles }]) =>
      profile === undefined ? profiles === undefined : profiles?.includes(profile),
    );
    for (const [name] of names.sort(([a]) => (a === 'nats' ? -1 : 1)))
      for (let copy = 0; copy < (scale[name] ?? 1); copy++) await this.add(name);
  }

  /** As the script does that the compose file names. */
  private makeSecrets(): void {
    mkdirSync(join(this.root, 'deploy'));
    const script = join(this.root, 'deploy/make-secrets.sh');
    cpSync(join(REPOSITORY, 'deploy/make-secrets.sh'), script);
    const { status, stderr } = spawnSync('sh', [script], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
  }

  private async prepare(name: string, service: ComposeService, copy: number): Promise<ServiceProcess> {
    const folder = join(this.root, `${name}-${copy}`);
    mkdirSync(folder);
    const ports = new Map(this.shared);
    ports.set('59840', await freePort());
    ports.set('59841', await freePort());
    if (this.proxy && name !== 'nats') ports.set('4222', Number(new URL(this.proxy.url).port));
    const paths = new Map<string, string>();
    for (const secret of service.secrets ?? [])
      paths.set(`/run/secrets/${secret}`, join(this.root, this.file.secrets[secret]!.file));
    for (const tmpfs of service.tmpfs ?? []) {
      const inside = tmpfs.split(':')[0]!;
      if (inside !== '/tmp') paths.set(inside, makeFolder(join(folder, 'tmpfs', inside)));
    }
    const mounts = (service.volumes ?? []).map((volume) => volume.split(':') as [outside: string, inside: string]);
    for (const [outside, inside] of mounts)
      paths.set(
        inside,
        makeFolder(outside.startsWith('./') ? join(folder, inside) : join(this.root, 'volumes', outside)),
      );
    const translate = (text: string): string => {
      let translated = text
        .replace(PROGRAM, (_, program: string) => programOf(program))
        .replace(SERVED_AT, (_, port: string) => `127.0.0.1:${ports.get(port)}`);
      for (const [inside, outside] of paths)
        translated = translated.replaceAll(new RegExp(`(?<![\\w.-])${inside}(?![\\w-])`, 'g'), outside);
      return translated;
    };
    for (const [outside, inside] of mounts)
      if (outside.startsWith('./')) this.fillMount(outside, paths.get(inside)!, translate);
    if (paths.has(USERS)) this.addUsers(join(paths.get('/etc/edgesync')!, 'config.json5'));
    // An entry point of its own takes the command of the image away as well.
    const { entrypoint = this.image.entrypoint, command = service.entrypoint ? [] : this.image.command } = service;
    const [program, ...parameters] = [...entrypoint, ...command].map(translate);
    const environment: Record<string, string> = {};
    for (const [key, value] of Object.entries(service.environment ?? {})) environment[key] = translate(value);
    return new ServiceProcess(name, {
      program: program === 'node' ? process.execPath : program!,
      parameters,
      environment: { PATH: process.env['PATH'], ...environment },
      health: service.healthcheck!.test.slice(1).map(translate),
      publicPort: ports.get('59840')!,
      internalPort: ports.get('59841')!,
    });
  }

  /** A copy of a folder of the repository, with the configuration and users of this project. */
  private fillMount(outside: string, folder: string, translate: (text: string) => string): void {
    for (const name of readdirSync(join(REPOSITORY, outside))) {
      const isConfig = name === basename('config.json5') && this.options.config !== undefined;
      const text = isConfig
        ? JSON.stringify(this.options.config)
        : readFileSync(join(REPOSITORY, outside, name), 'utf8');
      writeFileSync(join(folder, name), translate(text));
    }
  }

  /** As the command does that the compose file names. */
  private addUsers(config: string): void {
    for (const [user, password] of Object.entries(this.options.users ?? {})) {
      const parameters = ['--add-user', '--create', '--config', config, user];
      const { status, stderr } = spawnSync(process.execPath, [programOf('main'), ...parameters], {
        encoding: 'utf8',
        input: `${password}\n`,
      });
      if (status !== 0) throw new Error(stderr);
    }
  }
}

interface ServiceCommand {
  readonly program: string;
  readonly parameters: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly health: readonly string[];
  readonly publicPort: number;
  readonly internalPort: number;
}

/** One copy of a service. It can be ended and started again, as its container would be. */
export class ServiceProcess {
  output = '';
  /** Whether it has said so since it was started last. */
  private isReady = false;
  private child: ChildProcess | undefined;

  constructor(
    readonly name: string,
    private readonly command: ServiceCommand,
  ) {}

  get publicPort(): number {
    return this.command.publicPort;
  }

  get internalUrl(): string {
    return `http://127.0.0.1:${this.command.internalPort}`;
  }

  get pid(): number {
    return this.child!.pid!;
  }

  start(): void {
    const { program, parameters, environment } = this.command;
    this.isReady = false;
    this.child = spawn(program, parameters, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.child.stdout!, this.child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output = (this.output + text).slice(-20_000);
        this.isReady ||= text.includes('edgesync is ready.');
      });
  }

  /** Resolves when the service is as its health check wants it. */
  async ready(): Promise<void> {
    const url = HEALTH_URL.exec(this.command.health.join(' '))?.[0];
    for (;;) {
      if (this.child!.exitCode !== null) throw new Error(`${this.name} ended: ${this.output}`);
      if (url === undefined ? this.isReady : await isOk(url)) return;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Runs the health check itself. @returns its exit code */
  checkHealth(): number | null {
    const [program, ...parameters] = this.command.health;
    return spawnSync(program === 'node' ? process.execPath : program!, parameters).status;
  }

  signal(signal: NodeJS.Signals): void {
    this.child!.kill(signal);
  }

  /** @returns the exit code, null if the signal itself ended the process */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const exited = once(child, 'exit');
    // A stopped process receives no other signal.
    if (signal === 'SIGKILL') child.kill('SIGCONT');
    child.kill(signal);
    await exited;
    return child.exitCode;
  }

  /** Kills it and starts it again, as the restart policy would. */
  async crash(): Promise<void> {
    await this.end('SIGKILL');
    this.start();
  }
}

function programOf(name: string): string {
  if (SHIPPED !== undefined) return join(dirname(SHIPPED), `${name}.js`);
  return join(REPOSITORY, 'apps', name === 'main' ? 'edge' : name, 'dist/main.js');
}

async function isOk(url: string): Promise<boolean> {
  const reply = await fetch(url).catch(() => undefined);
  await reply?.text();
  return reply?.ok ?? false;
}

function makeFolder(path: string): string {
  mkdirSync(path, { recursive: true });
  return path;
}
