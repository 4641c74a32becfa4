/** One problem in a configuration or users file, with the way to fix it. */
export interface ConfigIssue {
  /** The file as the operator named it. */
  readonly file: string;
  /** Path of the key, such as `databases.travel-sample.path`; '' for the file as a whole. */
  readonly path: string;
  /** The rest of a sentence that starts with the path. Holds no secret. */
  readonly problem: string;
  /** The fix: a whole sentence. */
  readonly fix: string;
}

/** The outcome of reading a file: a value, or all its issues. Warnings do not stop the server. */
export type ReadResult<T> =
  | { readonly ok: true; readonly value: T; readonly warnings: readonly ConfigIssue[] }
  | { readonly ok: false; readonly issues: readonly ConfigIssue[]; readonly warnings: readonly ConfigIssue[] };

/** One line: `edge.json5: databases.plant.create: is a string. Write true or false.` */
export function formatIssue({ file, path, problem, fix }: ConfigIssue): string {
  return `${file}: ${path === '' ? '' : `${path}: `}${problem}. ${fix}`;
}

/** The path of a member: `parent.key`, or `parent["odd key"]` where a dot would mislead. */
export function memberPath(parent: string, key: string): string {
  if (!/^[\w$-]+$/.test(key)) return `${parent}[${JSON.stringify(key)}]`;
  return parent === '' ? key : `${parent}.${key}`;
}
