import { RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { statusText } from '@edgesync/platform';
import { ChangesParameters } from '../changes/changes-parameters.js';
import { ListingParameters } from '../listing/listing-parameters.js';
import { parametersOf, type Parameter } from '../parameters/parameter.js';
import { descriptionOf, type Content, type EndpointDescription, type ReplyDescription } from './endpoint.decorator.js';
import { SCHEMAS, type SchemaName } from './schemas.js';

/** One documented handler. */
interface Operation {
  readonly method: string;
  /** OpenAPI form: `/{keyspace}/{docid}`. */
  readonly path: string;
  readonly name: string;
  readonly description: EndpointDescription;
}

type Json = Record<string, unknown>;

const PATH_PARAMETERS: Readonly<Record<string, string>> = {
  keyspace: 'Database, `db.collection` or `db.scope.collection`.',
  docid: 'ID of the document, percent-encoded.',
  key: 'Name of a top-level property, percent-encoded.',
  name: 'Name of the attachment, percent-encoded.',
  query: 'Name of the query.',
  task: 'Number of the replication.',
};

const REQUEST_HEADERS: Readonly<Record<string, string>> = {
  'If-Match': 'The current revision, quoted or not. `*`: whatever is current.',
  'If-None-Match': 'Entity tags of replies that the client has.',
  Range: 'The bytes wanted, such as `bytes=0-1023`.',
  'Last-Event-ID': 'Where the events that the client has end: goes before `since`.',
};

const REPLY_HEADERS: Readonly<Record<string, string>> = {
  ETag: 'The revision in quotes; for listings a tag of the state of the collection.',
  Location: 'Where it is.',
  'Content-Range': 'Which bytes these are.',
};

/** Errors that every request may meet. */
const GENERAL_ERRORS: Readonly<Record<number, string>> = {
  400: 'The request is malformed.',
  401: 'Credentials are missing or wrong.',
  403: 'The request is not allowed.',
  429: 'Too many failed log-ins: try again as `Retry-After` says.',
  500: 'The server is at fault; its log has the details.',
  507: 'The disk is full.',
  503: 'The server is busy or about to stop: try again as `Retry-After` says.',
};

/**
 * The OpenAPI 3.1 document of the given controllers, made from their routes, parameter classes and descriptions.
 * @throws Error if a handler is not described
 */
export function buildOpenApi(controllers: readonly Type[], version: string): Json {
  const paths: Record<string, Json> = {};
  for (const operation of controllers.flatMap(operationsOf)) {
    const item = (paths[operation.path] ??= {});
    item[operation.method] = describe(operation, operation.method);
    // HEAD is served wherever GET is.
    if (operation.method === 'get') item['head'] = withoutBodies(describe(operation, 'head'));
  }
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
    tags: [...new Set(Object.values(paths).flatMap(tagsOf))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: { basic: { type: 'http', scheme: 'basic' } },
      schemas: {
        ...SCHEMAS,
        ListingParameters: parametersSchema(ListingParameters),
        ChangesParameters: parametersSchema(ChangesParameters),
      },
    },
  };
}

function operationsOf(controller: Type): Operation[] {
  const prototype = controller.prototype as Record<string, object>;
  return Object.getOwnPropertyNames(prototype).flatMap((name) => {
    const handler = prototype[name]!;
    const method = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod | undefined;
    if (method === undefined) return [];
    const description = descriptionOf(handler);
    if (!description) throw new Error(`${controller.name}.${name} is not described`);
    const path = Reflect.getMetadata(PATH_METADATA, handler) as string;
    return [{ method: RequestMethod[method].toLowerCase(), path: toTemplate(path), name, description }];
  });
}

const toTemplate = (path: string): string => `/${path.replace(/^\//, '').replaceAll(/:(\w+)/g, '{$1}')}`;

function describe({ path, name, description }: Operation, method: string): Json {
  const { tag, summary, query, requestHeaders = [], body, replies, errors } = description;
  return {
    tags: [tag],
    operationId: `${method}_${name}_${path.replaceAll(/[^\w]+/g, '_')}`,
    summary,
    ...(description.description !== undefined && { description: description.description }),
    parameters: [
      ...[...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => pathParameter(parameter!)),
      ...(query ? parametersOf(query).map(queryParameter) : []),
      ...requestHeaders.map(headerParameter),
    ],
    ...(body && { requestBody: { required: true, content: contents(body) } }),
    responses: {
      ...Object.fromEntries(Object.entries(replies).map(([status, reply]) => [status, response(reply)])),
      ...Object.fromEntries(
        Object.entries({ ...GENERAL_ERRORS, ...errors }).map(([status, text]) => [
          status,
          errorResponse(Number(status), text),
        ]),
      ),
    },
  };
}

const pathParameter = (name: string): Json => ({
  name,
  in: 'path',
  required: true,
  description: PATH_PARAMETERS[name],
  schema: { type: 'string' },
});

const FLAG = 'Absent, `false` and `0` mean no, in this spelling; anything else means yes, `False` and nothing too.';

const queryParameter = (parameter: Parameter): Json => ({
  name: parameter.name,
  in: 'query',
  description: parameter.kind === 'flag' ? `${parameter.description} ${FLAG}` : parameter.description,
  ...(parameter.kind === 'texts'
    ? { content: { 'application/json': { schema: schemaOf(parameter) } } }
    : {
        schema: schemaOf(parameter),
        ...(parameter.kind === 'flag' && { allowEmptyValue: true }),
        ...(parameter.kind === 'list' && { style: 'form', explode: false }),
      }),
});

const headerParameter = (name: string): Json => ({
  name,
  in: 'header',
  description: REQUEST_HEADERS[name],
  schema: { type: 'string' },
});

function schemaOf({ kind, minimum, maximum, words }: Parameter): Json {
  if (kind === 'flag') return { type: 'boolean' };
  if (kind === 'texts' || kind === 'list') return { type: 'array', items: { type: 'string' } };
  if (kind === 'word') return { enum: words };
  if (kind === 'word-or-integer') return { anyOf: [{ type: 'integer', minimum }, { enum: words }] };
  if (kind === 'text' || kind === 'quoted-text') return { type: 'string' };
  return { type: 'integer', minimum, ...(maximum !== Number.MAX_SAFE_INTEGER && { maximum }) };
}

function parametersSchema(type: new () => object): Json {
  const properties = parametersOf(type).map((parameter) => [
    parameter.name,
    { ...schemaOf(parameter), description: parameter.description },
  ]);
  return { type: 'object', properties: Object.fromEntries(properties) as Json };
}

function response({ description, content, headers }: ReplyDescription): Json {
  return {
    description,
    ...(headers && {
      headers: Object.fromEntries(
        headers.map((name) => [name, { description: REPLY_HEADERS[name], schema: { type: 'string' } }]),
      ),
    }),
    ...(content && { content: contents(content) }),
  };
}

const errorResponse = (status: number, text: string): Json => ({
  description: `${statusText(status)}. ${text}`,
  content: { 'application/json': { schema: reference('Error') } },
});

function contents(content: readonly Content[]): Json {
  const types: Json = {};
  const schemas = content.flatMap((one) => ('schema' in one ? [reference(one.schema)] : 'json' in one ? [{}] : []));
  if (schemas.length > 0)
    types['application/json'] = { schema: schemas.length === 1 ? schemas[0] : { anyOf: schemas } };
  if (content.some((one) => 'bytes' in one)) types['*/*'] = {};
  if (content.some((one) => 'html' in one)) types['text/html'] = {};
  if (content.some((one) => 'text' in one)) types['text/plain'] = {};
  if (content.some((one) => 'events' in one)) types['text/event-stream'] = {};
  return types;
}

const reference = (name: SchemaName): Json => ({ $ref: `#/components/schemas/${name}` });

/** Statuses of a part of something, which only GET has (RFC 9110, 14.2). */
const OF_PARTS: ReadonlySet<string> = new Set(['206', '416']);

function withoutBodies(operation: Json): Json {
  const responses = Object.entries(operation['responses'] as Record<string, Json>).filter(
    ([status]) => !OF_PARTS.has(status),
  );
  return {
    ...operation,
    summary: `${operation['summary'] as string} (headers only)`,
    responses: Object.fromEntries(responses.map(([status, { content: _, ...rest }]) => [status, rest])),
  };
}

const tagsOf = (item: Json): string[] =>
  Object.values(item).flatMap((operation) => (operation as { tags: string[] }).tags);
