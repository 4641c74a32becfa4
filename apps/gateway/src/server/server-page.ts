import { VERSION } from '@edgesync/platform';

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escape = (text: string): string => text.replaceAll(/[&<>"]/g, (character) => ENTITIES[character]!);

const LINKS: readonly (readonly [path: string, text: string])[] = [
  ['/_docs', 'the manual of the API'],
  ['/_openapi.json', 'the same for programs'],
  ['/_all_dbs', 'the databases'],
  ['/_active_tasks', 'feeds, sync sessions and replications'],
  ['/_replicate', 'replications with other servers'],
  ['/_metrics', 'metrics for Prometheus'],
  ['/_ready', 'whether requests can be served'],
];

const STYLE =
  ':root{color-scheme:light dark}body{max-width:40rem;margin:3rem auto;padding:0 1rem;font:16px/1.6 system-ui,sans-serif}';

/**
 * The page that a browser gets at `/`: where to go from here.
 * @param databases that the user may see
 */
export function serverPage(databases: readonly string[]): string {
  const shown = databases.map((name) => `<li><a href="/${encodeURIComponent(name)}">${escape(name)}</a></li>`);
  const links = LINKS.map(([path, text]) => `<li><a href="${path}">${path}</a>: ${text}</li>`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>edgesync</title><style>${STYLE}</style></head>
<body><h1>edgesync ${escape(VERSION)}</h1><p>Compatible with Couchbase Edge Server 1.1. Apps sync with <code>/{database}</code> over WebSocket.</p>
<h2>Databases</h2>${shown.length > 0 ? `<ul>${shown.join('')}</ul>` : '<p>None that you may see.</p>'}
<h2>Endpoints</h2><ul>${links.join('')}</ul></body></html>
`;
}
