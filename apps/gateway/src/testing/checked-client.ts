import { request as send, type IncomingHttpHeaders } from 'node:http';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { VERSION } from '@edgesync/platform';
import { CONTROLLERS } from '../gateway.module.js';
import { buildOpenApi } from '../openapi/build-openapi.js';

/** A JSON value whose shape the test itself states. */
export type Loose = ReturnType<typeof JSON.parse>;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
  /** The body as JSON. */
  readonly json: Loose;
}

export interface RequestOptions {
  readonly body?: string | Buffer | object;
  readonly headers?: Record<string, string>;
}

interface Operation {
  readonly responses: Record<string, { content?: Record<string, { schema?: object }>; headers?: object }>;
}

const document = buildOpenApi(CONTROLLERS, VERSION) as {
  paths: Record<string, Record<string, Operation>>;
  components: object;
};
const ajv = new Ajv2020({ strict: false });
ajv.addSchema({ $id: 'api:', ...document });

/** Operations and reply statuses that some test has seen. */
export const seen = new Set<string>();

/** An HTTP client that sends paths as they are, and holds every reply against the OpenAPI document. */
export class CheckedClient {
  constructor(
    private readonly url: string,
    private readonly headers: Record<string, string> = {},
  ) {}

  get = (path: string, options?: RequestOptions): Promise<Answer> => this.request('GET', path, options);
  head = (path: string, options?: RequestOptions): Promise<Answer> => this.request('HEAD', path, options);
  put = (path: string, body: RequestOptions['body'], options?: RequestOptions): Promise<Answer> =>
    this.request('PUT', path, { ...options, body });
  post = (path: string, body?: RequestOptions['body'], options?: RequestOptions): Promise<Answer> =>
    this.request('POST', path, { ...options, ...(body !== undefined && { body }) });
  delete = (path: string, options?: RequestOptions): Promise<Answer> => this.request('DELETE', path, options);

  async request(method: string, path: string, { body, headers }: RequestOptions = {}): Promise<Answer> {
    const payload = typeof body === 'object' && !Buffer.isBuffer(body) ? JSON.stringify(body) : body;
    const sent = { ...(typeof body === 'object' && !Buffer.isBuffer(body) && { 'content-type': 'application/json' }) };
    const answer = await exchange(this.url, method, path, payload, { ...sent, ...this.headers, ...headers });
    checkAnswer(method, path, answer);
    return answer;
  }
}

function exchange(
  url: string,
  method: string,
  path: string,
  body: string | Buffer | undefined,
  headers: Record<string, string>,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const request = send(
      { hostname, port, method, path, headers: { ...length, ...headers }, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const bytes = Buffer.concat(chunks);
          const text = bytes.toString();
          resolve({
            status: response.statusCode!,
            headers: response.headers,
            bytes,
            text,
            get json() {
              return JSON.parse(text) as unknown;
            },
          });
        });
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

/** @throws Error if the API document does not say that this reply may come */
function checkAnswer(method: string, path: string, answer: Answer): void {
  const { status, headers, text } = answer;
  const fail = (problem: string): never => {
    throw new Error(`${method} ${path} -> ${status}: ${problem}\n${text.slice(0, 500)}`);
  };
  if (headers.server !== 'CouchbaseEdgeServer/1.1.0') fail('no Server header');
  if (headers.date === undefined) fail('no Date header');
  if (status >= 400) {
    if (
      headers['cache-control'] !== 'no-cache, no-store, must-revalidate, private, max-age=0' ||
      headers.expires !== '0'
    )
      fail('the error may be cached');
    if (headers['content-type'] !== 'application/json') fail('the error is not JSON');
    if (method !== 'HEAD') validate('Error', '/components/schemas/Error', JSON.parse(text), fail);
  }
  const template = findTemplate(path);
  const operation = template === undefined ? undefined : document.paths[template]![method.toLowerCase()];
  if (!operation) return;
  const reply = operation.responses[status];
  if (!reply) return fail(`status not documented for ${template}`);
  seen.add(`${method} ${template} ${status}`);
  for (const name of Object.keys(reply.headers ?? {}))
    if (headers[name.toLowerCase()] === undefined) fail(`documented header ${name} is missing`);
  if (method === 'HEAD' || status === 304 || status === 302) {
    if (text !== '') fail('there must be no body');
    return;
  }
  const type = headers['content-type']!.split(';')[0]!;
  const contents = reply.content ?? {};
  if (!(type in contents) && !('*/*' in contents)) fail(`content type ${type} is not documented`);
  if (contents[type]?.schema && !('*/*' in contents)) {
    const pointer = ['paths', template!, method.toLowerCase(), 'responses', String(status), 'content', type, 'schema'];
    validate(template!, `/${pointer.map(escapePointer).join('/')}`, JSON.parse(text), fail);
  }
}

function validate(what: string, pointer: string, value: unknown, fail: (problem: string) => never): void {
  const check = ajv.compile({ $ref: `api:#${encodeURI(pointer)}` });
  if (!check(value)) fail(`not as documented for ${what}: ${ajv.errorsText(check.errors)}`);
}

const escapePointer = (part: string): string => part.replaceAll('~', '~0').replaceAll('/', '~1');

function findTemplate(path: string): string | undefined {
  const parts = partsOf(path.split('?')[0]!);
  const matches = Object.keys(document.paths).filter((template) => {
    const expected = partsOf(template);
    return (
      expected.length === parts.length && expected.every((part, index) => part.startsWith('{') || part === parts[index])
    );
  });
  return matches.sort((a, b) => a.split('{').length - b.split('{').length)[0];
}

const partsOf = (path: string): string[] => path.replace(/^\//, '').replace(/\/$/, '').split('/');
