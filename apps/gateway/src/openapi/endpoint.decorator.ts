import type { SchemaName } from './schemas.js';

/** What a request or reply carries. */
export type Content =
  | { readonly schema: SchemaName }
  /** Any JSON value. */
  | { readonly json: true }
  /** Bytes of any type. */
  | { readonly bytes: true }
  | { readonly html: true }
  | { readonly text: true }
  /** Server-sent events. */
  | { readonly events: true };

export interface ReplyDescription {
  readonly description: string;
  readonly content?: readonly Content[];
  readonly headers?: readonly ('ETag' | 'Location' | 'Content-Range')[];
}

/** What the manual says about one endpoint. */
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
  readonly requestHeaders?: readonly ('If-Match' | 'If-None-Match' | 'Range' | 'Last-Event-ID')[];
  readonly body?: readonly Content[];
  readonly replies: Readonly<Record<number, ReplyDescription>>;
  /** Error statuses with a meaning here. Those that any request may meet are added. */
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
