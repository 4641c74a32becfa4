import { RequestMethod, type Type } from '@nestjs/common';
import { GUARDS_METADATA, METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { targetConstructorToSchema } from 'class-validator-jsonschema';
import { statusText } from '@edgesync/platform';
import { ChangesParameters } from '../changes/changes-parameters.js';
import { WriteKeyspaceGuard } from '../keyspaces/keyspace.guards.js';
import { ListingParameters } from '../listing/listing-parameters.js';
import { descriptionOf, type Content, type EndpointDescription, type ReplyDescription } from './endpoint.decorator.js';
import { EXAMPLES } from './examples.js';
import { SCHEMAS, type SchemaName } from './schemas.js';

type Json = Record<string, unknown>;

/** One documented handler. */
interface Operation {
  readonly method: string;
  /** OpenAPI form: `/{keyspace}/{docid}`. */
  readonly path: string;
  readonly id: string;
  readonly writes: boolean;
  readonly description: EndpointDescription;
}

/** The parameters of paths, each with an example. */
const PATH_PARAMETERS: Readonly<Record<string, readonly [description: string, example: string]>> = {
  keyspace: ['Database, `db.collection` or `db.scope.collection`.', 'travel.inventory.hotels'],
  docid: ['ID of the document, percent-encoded.', 'hotel_10025'],
  key: ['Name of a top-level property, percent-encoded.', 'photo'],
  name: ['Name of the attachment, percent-encoded.', 'photo.jpg'],
  query: ['Name of the query.', 'cheapest'],
  task: ['Number of the replication.', '1'],
};

const REQUEST_HEADERS: Readonly<Record<string, string>> = {
  'If-Match': 'The current revision, quoted or not. `*`: whatever is current.',
  'If-None-Match': 'Entity tags of replies that the client has.',
  Range: 'The bytes wanted, such as `bytes=0-1023`.',
  'Last-Event-ID': 'The last event that the client has: goes before `since`.',
};

const REPLY_HEADERS: Readonly<Record<string, string>> = {
  ETag: 'The revision in quotes; for listings a tag of the state of the collection.',
  Location: 'Where it is.',
  'Content-Range': 'Which bytes these are.',
};

type Errors = Readonly<Record<number, string>>;

/** Errors that every request may meet. */
const GENERAL_ERRORS: Errors = {
  400: 'The request is malformed.',
  401: 'Credentials are missing or wrong.',
  403: 'The request is not allowed.',
  429: 'Too many failed log-ins: try again as `Retry-After` says.',
  500: 'The server failed; its log has the details.',
  503: 'The server is busy or about to stop: try again as `Retry-After` says.',
  507: 'The disk is full.',
};
const KEYSPACE_ERRORS: Errors = { 404: 'No such keyspace.' };
const WRITE_ERRORS: Errors = { 403: 'The user may not write here, or nobody may over REST.' };
const BODY_ERRORS: Errors = {
  413: 'The body is larger than 20 MB.',
  415: 'The content type is not JSON, or the body has a Content-Encoding.',
};

const NOT_MODIFIED: ReplyDescription = { description: 'The client has the current one.', headers: ['ETag'] };

/** Statuses of a part of something, which only GET has (RFC 9110, 14.2). */
const OF_PARTS: ReadonlySet<string> = new Set(['206', '416']);

/**
 * The OpenAPI 3.1 document of the given controllers, made from their routes, parameter classes and descriptions.
 * @throws Error if a handler is not described
 */
export function buildOpenApi(controllers: readonly Type[], version: string): Json {
  const paths: Record<string, Json> = {};
  for (const operation of controllers.flatMap(operationsOf)) {
    const described = describe(operation);
    const item = (paths[operation.path] ??= {});
    item[operation.method] = described;
    // HEAD is served wherever GET is.
    if (operation.method === 'get') item['head'] = withoutBodies(described);
  }
  const tags = Object.values(paths).flatMap((item) =>
    Object.values(item).flatMap((one) => (one as { tags: string[] }).tags),
  );
  return {
    openapi: '3.1.0',
    info: {
      title: 'edgesync REST API',
      version,
      description:
        'Documents, blobs and listings of the databases on this server. Compatible with Couchbase Edge Server 1.1. ' +
        'Parameters that an endpoint does not list are ignored.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ basic: [] }, {}],
    tags: [...new Set(tags)].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: { basic: { type: 'http', scheme: 'basic' } },
      schemas: {
        ...SCHEMAS,
        ListingParameters: targetConstructorToSchema(ListingParameters),
        ChangesParameters: targetConstructorToSchema(ChangesParameters),
      },
    },
  };
}

function operationsOf(controller: Type): Operation[] {
  const prototype = controller.prototype as Record<string, object>;
  return Object.getOwnPropertyNames(prototype).flatMap((id) => {
    const handler = prototype[id]!;
    const method = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod | undefined;
    if (method === undefined) return [];
    const description = descriptionOf(handler);
    if (!description) throw new Error(`${controller.name}.${id} is not described`);
    const path = Reflect.getMetadata(PATH_METADATA, handler) as string;
    const guards = (Reflect.getMetadata(GUARDS_METADATA, handler) ?? []) as unknown[];
    const writes = guards.includes(WriteKeyspaceGuard);
    return [{ method: RequestMethod[method].toLowerCase(), path: toTemplate(path), id, writes, description }];
  });
}

const toTemplate = (path: string): string => `/${path.replace(/^\//, '').replaceAll(/:(\w+)/g, '{$1}')}`;

function describe(operation: Operation): Json {
  const { path, id, description } = operation;
  const { tag, summary, query, requestHeaders = [], body, tagged } = description;
  return {
    tags: [tag],
    operationId: id,
    summary,
    ...(description.description !== undefined && { description: description.description }),
    parameters: [
      ...[...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => pathParameter(parameter!)),
      ...(query ? queryParameters(query) : []),
      ...[...requestHeaders, ...(tagged ? ['If-None-Match'] : [])].map(headerParameter),
    ],
    ...(body && { requestBody: { required: true, content: contents(body) } }),
    responses: { ...mapValues(repliesOf(description), response), ...mapValues(errorsOf(operation), errorResponse) },
  };
}

function repliesOf({ replies, tagged }: EndpointDescription): Readonly<Record<string, ReplyDescription>> {
  return tagged ? { ...mapValues(replies, withTag), 304: NOT_MODIFIED } : replies;
}

function withTag(reply: ReplyDescription, status: string): ReplyDescription {
  return status.startsWith('2') ? { ...reply, headers: ['ETag', ...(reply.headers ?? [])] } : reply;
}

const errorsOf = ({ path, writes, description: { body, errors } }: Operation): Errors => ({
  ...GENERAL_ERRORS,
  ...(path.startsWith('/{keyspace}') && KEYSPACE_ERRORS),
  ...(writes && WRITE_ERRORS),
  ...(body && BODY_ERRORS),
  ...errors,
});

function pathParameter(name: string): Json {
  const [description, example] = PATH_PARAMETERS[name]!;
  return { name, in: 'path', required: true, description, example, schema: { type: 'string' } };
}

/** Lists are JSON in a URL; a flag need not have a value. */
function queryParameters(type: new () => object): Json[] {
  const { properties = {} } = targetConstructorToSchema(type);
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...schema } = property as Json;
    const shape = schema['type'] === 'array' ? { content: { 'application/json': { schema } } } : { schema };
    return { name, in: 'query', description, ...shape, ...(schema['type'] === 'boolean' && { allowEmptyValue: true }) };
  });
}

const headerParameter = (name: string): Json => ({
  name,
  in: 'header',
  description: REQUEST_HEADERS[name],
  schema: { type: 'string' },
});

function response({ description, content, headers }: ReplyDescription): Json {
  const shown = headers?.map((name) => [name, { description: REPLY_HEADERS[name], schema: { type: 'string' } }]);
  return {
    description,
    ...(shown && { headers: Object.fromEntries(shown) as Json }),
    ...(content && { content: contents(content) }),
  };
}

const errorResponse = (text: string, status: string): Json => ({
  description: `${statusText(Number(status))}. ${text}`,
  content: { 'application/json': { schema: reference('Error') } },
});

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  bytes: '*/*',
  html: 'text/html',
  text: 'text/plain',
  events: 'text/event-stream',
};

function contents(content: readonly Content[]): Json {
  const schemas = content.flatMap((one) => (one === 'json' ? [{}] : one in MEDIA_TYPES ? [] : [reference(one)]));
  const schema = schemas.length === 1 ? schemas[0] : { anyOf: schemas };
  const example = content.map((one) => EXAMPLES[one as SchemaName]).find((one) => one !== undefined);
  return {
    ...(schemas.length > 0 && { 'application/json': { schema, ...(example !== undefined && { example }) } }),
    ...(Object.fromEntries(content.flatMap((one) => (one in MEDIA_TYPES ? [[MEDIA_TYPES[one], {}]] : []))) as Json),
  };
}

const reference = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });

function withoutBodies(operation: Json): Json {
  const responses = Object.entries(operation['responses'] as Record<string, Json>).filter(
    ([status]) => !OF_PARTS.has(status),
  );
  return {
    ...operation,
    operationId: (operation['operationId'] as string).replace(/^get/, 'head'),
    summary: `${operation['summary'] as string} (headers only)`,
    responses: Object.fromEntries(responses.map(([status, { content: _, ...rest }]) => [status, rest])),
  };
}

const mapValues = <In, Out>(
  values: Readonly<Record<string, In>>,
  map: (value: In, key: string) => Out,
): Record<string, Out> => Object.fromEntries(Object.entries(values).map(([key, value]) => [key, map(value, key)]));
