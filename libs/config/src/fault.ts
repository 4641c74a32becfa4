/** One thing wrong with a configuration or users file, told so that a person can mend it. */
export interface Fault {
  /** The file as the operator named it. */
  readonly file: string;
  /** Path of the key, such as `databases.travel-sample.path`; '' for the file as a whole. */
  readonly path: string;
  /** What is wrong, as the rest of a sentence that starts with the path. Holds no secret. */
  readonly problem: string;
  /** How to mend it: a whole sentence. */
  readonly remedy: string;
}

/** The outcome of reading a file: a value, or everything that is wrong with it. Warnings do not stop the server. */
export type ReadResult<T> =
  | { readonly ok: true; readonly value: T; readonly warnings: readonly Fault[] }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/** One line: `edge.json5: databases.plant.create: is a string. Write true or false.` */
export function formatFault({ file, path, problem, remedy }: Fault): string {
  return `${file}: ${path === '' ? '' : `${path}: `}${problem}. ${remedy}`;
}

/** The path of a member: `parent.key`, or `parent["odd key"]` where a dot would mislead. */
export function memberPath(parent: string, key: string): string {
  if (!/^[\w$-]+$/.test(key)) return `${parent}[${JSON.stringify(key)}]`;
  return parent === '' ? key : `${parent}.${key}`;
}
