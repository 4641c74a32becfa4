/** Paths that are served without credentials. They reveal only whether the server works. */
const OPEN_PATHS: ReadonlySet<string> = new Set(['/_health', '/_ready']);

/** Whether the request needs no authentication. Only the plain path counts: other spellings are served to users. */
export const isOpenPath = (url: string): boolean => OPEN_PATHS.has(url);
