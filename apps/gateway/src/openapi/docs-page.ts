import { SEARCH_SCRIPT } from './search-script.js';

type Json = Record<string, unknown>;

type Content = Record<string, { schema?: Json; example?: unknown }>;

interface OperationDocument {
  readonly tags: readonly [string];
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly parameters: readonly {
    name: string;
    in: string;
    description?: string;
    schema?: Json;
    content?: Json;
    example?: string;
  }[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { description: string; headers?: Json; content?: Content }>>;
}

export interface OpenApiDocument {
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationDocument>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Json>> };
}

/** The manual: the OpenAPI document for people. One file, with nothing from elsewhere. */
export function docsPage({ info, tags, paths, components }: OpenApiDocument): string {
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => method !== 'head')
      .map(([method, operation]) => ({ method, path, operation })),
  );
  const groups = tags.map(({ name }) => ({
    name,
    operations: operations.filter(({ operation }) => operation.tags.includes(name)),
  }));
  const navigation = groups.map(
    ({ name, operations: members }) =>
      `<p>${escape(name)}</p><ul>${members
        .map(
          ({ method, path, operation }) =>
            `<li><a href="#${operation.operationId}">${badge(method)}<span>${escape(path)}</span></a></li>`,
        )
        .join('')}</ul>`,
  );
  const everywhere = commonReplies(operations.map(({ operation }) => operation));
  const sections = groups.map(
    ({ name, operations: members }) =>
      `<h2>${escape(name)}</h2>${members.map(({ method, path, operation }) => operationSection(method, path, operation, everywhere)).join('')}`,
  );
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) =>
      `<section id="schema-${name}"><h3>${escape(name)}</h3><pre>${escape(JSON.stringify(schema, null, 2))}</pre></section>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escape(info.title)}</title><style>${STYLE}</style></head>
<body><nav><a class="brand" href="#top">edgesync</a><small>REST API ${escape(info.version)}</small>
<input id="search" type="search" placeholder="Search" aria-label="Search the endpoints"><details open><summary>Contents</summary>${navigation.join('')}
<p>Schemas</p><ul>${Object.keys(components.schemas)
    .map((name) => `<li><a href="#schema-${name}"><span>${name}</span></a></li>`)
    .join('')}</ul></details></nav>
<main id="top"><header><h1>${escape(info.title)}</h1><p>${inline(info.description)}</p>
<p>Machine-readable: <a href="/_openapi.json">/_openapi.json</a>. Every GET endpoint takes HEAD as well. Errors are
<code>{"status", "error", "reason"}</code>. Credentials: HTTP Basic.</p>
<p>Any request may be answered with:</p><ul>${[...everywhere].map((reply) => `<li>${inline(reply)}</li>`).join('')}</ul></header>
${sections.join('')}<h2>Schemas</h2>${schemas.join('')}</main><script>${SEARCH_SCRIPT}</script></body></html>
`;
}

/** Replies that every operation has, with the same description: shown once, at the top. */
function commonReplies(operations: readonly OperationDocument[]): ReadonlySet<string> {
  const [first, ...others] = operations.map(({ responses }) => Object.entries(responses).map(replyKey));
  return new Set(first?.filter((key) => others.every((keys) => keys.includes(key))));
}

const replyKey = ([status, { description }]: [string, { description: string }]): string => `${status} ${description}`;

function operationSection(
  method: string,
  path: string,
  operation: OperationDocument,
  everywhere: ReadonlySet<string>,
): string {
  const parameters = operation.parameters.map(
    (parameter) =>
      `<tr><td><code>${escape(parameter.name)}</code></td><td>${escape(parameter.in)}</td><td>${escape(typeOf(parameter.schema))}</td><td>${inline(parameter.description ?? '')}</td></tr>`,
  );
  const own = Object.entries(operation.responses).filter((reply) => !everywhere.has(replyKey(reply)));
  const responses = own.map(([status, { description, content }]) => {
    const shape = Object.entries(content ?? {}).map(([type, { schema }]) => schemaLink(type, schema));
    return `<tr class="s${status[0]}"><td><b>${status}</b></td><td>${inline(description)}</td><td>${shape.join('<br>')}</td></tr>`;
  });
  const bodies = Object.entries(operation.requestBody?.content ?? {}).map(([type, { schema }]) =>
    schemaLink(type, schema),
  );
  return `<section id="${operation.operationId}"><h3>${badge(method)}<code>${highlight(path)}</code></h3>
<p class="summary">${escape(operation.summary)}</p>${operation.description === undefined ? '' : `<p>${inline(operation.description)}</p>`}
${parameters.length === 0 ? '' : `<table><thead><tr><th>Parameter</th><th>In</th><th>Type</th><th></th></tr></thead><tbody>${parameters.join('')}</tbody></table>`}
${bodies.length === 0 ? '' : `<p>Body: ${bodies.join(' or ')}</p>`}
<table><thead><tr><th>Status</th><th></th><th>Body</th></tr></thead><tbody>${responses.join('')}</tbody></table>
${exampleOf(method, path, operation)}</section>`;
}

/** A command line for the request, and the body of its reply. */
function exampleOf(method: string, path: string, { parameters, requestBody, responses }: OperationDocument): string {
  const url = path.replaceAll(
    /\{(\w+)\}/g,
    (_, name: string) => parameters.find((one) => one.in === 'path' && one.name === name)?.example ?? name,
  );
  const sent = exampleBody(requestBody?.content);
  const received = exampleBody(Object.entries(responses).find(([status]) => status.startsWith('2'))?.[1].content);
  const lines = [`curl${method === 'get' ? '' : ` -X ${method.toUpperCase()}`} 'http://127.0.0.1:59840${url}'`];
  if (sent !== undefined) lines.push(`     -H 'Content-Type: application/json' -d '${JSON.stringify(sent)}'`);
  const command = lines.join(' \\\n');
  const reply = received === undefined ? '' : `<pre>${escape(JSON.stringify(received, null, 2))}</pre>`;
  return `<details><summary>Example</summary><pre>${escape(command)}</pre>${reply}</details>`;
}

const exampleBody = (content: Content | undefined): unknown => content?.['application/json']?.example;

const badge = (method: string): string => `<em class="${method}">${method.toUpperCase()}</em>`;

const highlight = (path: string): string => escape(path).replaceAll(/\{\w+\}/g, '<i>$&</i>');

function typeOf(schema: Json | undefined): string {
  if (!schema) return 'JSON array';
  return typeof schema['type'] === 'string' ? schema['type'] : 'any';
}

function schemaLink(type: string, schema: Json | undefined): string {
  const names = [...JSON.stringify(schema ?? {}).matchAll(/#\/components\/schemas\/(\w+)/g)].map(
    ([, name]) => `<a href="#schema-${name}">${name}</a>`,
  );
  return names.length > 0 ? names.join(' or ') : `<code>${escape(type)}</code>`;
}

/** Escapes text and shows `code` as such. */
const inline = (text: string): string => escape(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>');

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escape = (text: string): string => text.replaceAll(/[&<>"]/g, (character) => ENTITIES[character]!);

const STYLE = `
:root{color-scheme:light dark;--bg:#fff;--panel:#f6f7f9;--line:#e1e4e8;--text:#1c2128;--dim:#5b6470;--link:#0b62c4}
@media(prefers-color-scheme:dark){:root{--bg:#14181d;--panel:#1b2027;--line:#2f3640;--text:#e3e7ec;--dim:#98a2ae;--link:#6cb2ff}}
*{box-sizing:border-box}html{scroll-behavior:smooth}
body{margin:0;display:grid;grid-template-columns:300px minmax(0,1fr);background:var(--bg);color:var(--text);font:15px/1.55 system-ui,sans-serif}
nav{position:sticky;top:0;height:100vh;overflow:auto;padding:1.4rem 1rem;background:var(--panel);border-right:1px solid var(--line);font-size:13px}
nav .brand{font-size:1.25rem;font-weight:700;color:var(--text);display:block}nav small{color:var(--dim)}
nav p{margin:1.2rem 0 .3rem;font-weight:600;color:var(--dim);text-transform:uppercase;letter-spacing:.04em;font-size:11px}
nav ul{list-style:none;margin:0;padding:0}nav a{display:flex;gap:.5rem;align-items:center;padding:.16rem 0;text-decoration:none}
nav span{overflow-wrap:anywhere}a{color:var(--link)}
main{padding:2rem 2.5rem 6rem;max-width:980px}h1{margin:0 0 .4rem}h2{margin:3rem 0 1rem;border-bottom:1px solid var(--line);padding-bottom:.3rem}
section{margin:1.2rem 0;padding:1rem 1.2rem;border:1px solid var(--line);border-radius:8px;scroll-margin-top:1rem}
section:target{border-color:var(--link)}h3{margin:0;font-size:1rem;display:flex;gap:.7rem;align-items:center;flex-wrap:wrap}
h3 i{color:var(--link);font-style:normal}.summary{font-weight:600;margin:.6rem 0 .2rem}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,monospace;font-size:.92em}p code,td code{background:var(--panel);padding:.08em .3em;border-radius:4px}
pre{overflow:auto;background:var(--panel);padding:.8rem;border-radius:6px;margin:.6rem 0 0}
table{border-collapse:collapse;width:100%;margin:.8rem 0 0;font-size:.93em}th{text-align:left;color:var(--dim);font-weight:600}
td,th{padding:.32rem .6rem .32rem 0;border-top:1px solid var(--line);vertical-align:top}thead th{border-top:0}
td:first-child{white-space:nowrap}.s2 b{color:#1a7f37}.s3 b{color:#8a6d00}.s4 b{color:#c0392b}.s5 b{color:#8e44ad}
em{font:600 10.5px/1 ui-monospace,monospace;padding:.28em .5em;border-radius:4px;color:#fff;min-width:4.4em;text-align:center;background:#5b6470}
em.get{background:#0b7a75}em.post{background:#1f6feb}em.put{background:#a15c00}em.delete{background:#b42318}
nav input{width:100%;margin:.8rem 0 0;padding:.4rem .6rem;font:inherit;border:1px solid var(--line);border-radius:6px;background:var(--bg);color:var(--text)}
nav details>summary{display:none}section details{margin:.8rem 0 0}summary{cursor:pointer;color:var(--dim)}[hidden]{display:none!important}
@media(max-width:800px){body{display:block}nav{position:sticky;top:0;z-index:1;height:auto;max-height:70vh;padding:.7rem 1rem;border-right:0;border-bottom:1px solid var(--line)}
nav details>summary{display:block;padding:.5rem 0}main{padding:1.2rem}section{padding:.8rem;scroll-margin-top:8rem}table{display:block;overflow-x:auto}td:first-child{white-space:normal}}
`;
