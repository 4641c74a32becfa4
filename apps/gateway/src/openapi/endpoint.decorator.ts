import type { SchemaName } from './schemas.js';

/** The content of a request or reply: a value of a schema, JSON, bytes of any type, text, HTML, server-sent events. */
export type Content = SchemaName | 'json' | 'bytes' | 'text' | 'html' | 'events';

export interface ReplyDescription {
  readonly description: string;
  readonly content?: readonly Content[];
  readonly headers?: readonly ('ETag' | 'Location' | 'Content-Range')[];
}

/**
 * The entry of one endpoint in the manual. Derived and added: the errors that any request may meet, those of bodies,
 * parameters and keyspaces, and all that belongs to `tagged`.
 */
export interface EndpointDescription {
  readonly tag:
    | 'Server'
    | 'Keyspaces'
    | 'Documents'
    | 'Changes'
    | 'Properties and blobs'
    | 'Queries'
    | 'Sync'
    | 'Operation'
    | 'Replications'
    | 'Manual';
  readonly summary: string;
  readonly description?: string;
  /** Class of the URL's parameters. */
  readonly query?: new () => object;
  readonly requestHeaders?: readonly ('If-Match' | 'Range' | 'Last-Event-ID')[];
  readonly body?: readonly Content[];
  readonly replies: Readonly<Record<number, ReplyDescription>>;
  /** The reply has an entity tag, and `If-None-Match` may make it 304. */
  readonly tagged?: boolean;
  /** Error statuses that mean something of their own here. */
  readonly errors?: Readonly<Record<number, string>>;
}

const descriptions = new WeakMap<object, EndpointDescription>();

/** Describes a handler for the OpenAPI document. */
export function Endpoint(description: EndpointDescription): MethodDecorator {
  return (_target, _name, descriptor) => {
    descriptions.set(descriptor.value as object, description);
  };
}

export const descriptionOf = (handler: object): EndpointDescription | undefined => descriptions.get(handler);
