// Checks that every link of the Markdown, and every page that code cites, exists, with its heading. `node scripts/check-links.mjs`
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Citations of documents outside the repository: nobody could follow them. */
const UNRESOLVABLE = [
  /\b[Ww]ire [A-K](\.\d+)?\b/,
  /\bref \d+(\.\d+)?\b/,
  /\bJ\.[1-4]([-.]| #)\d+/,
  /['"([ ][A-I]\.\d{1,2}[:,)\]]/,
  /\b(wire|reference) sheet\b/,
];

/** Paths that a build or an operator makes. */
const GENERATED = /\/(dist|bundle|secrets|data)(\/|$)/;

/** The anchors of the pages read so far. */
const anchors = new Map();

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problems = checkLinks(trackedFiles());
  for (const { file, line, problem } of problems) console.error(`${file}:${line}: ${problem}`);
  if (problems.length > 0) process.exitCode = 1;
}

/** The files that git knows or would add, without fixtures. */
export function trackedFiles() {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: ROOT });
  return listed
    .toString()
    .split('\n')
    .filter((file) => /\.(md|ts|js|mjs|json|yml|yaml)$/.test(file) && !/(^|\/)fixtures\/|^pnpm-lock/.test(file))
    .filter((file) => existsSync(join(ROOT, file)));
}

/** All links and citations of `files` that lead nowhere, as `{ file, line, problem }`. */
export function checkLinks(files) {
  const problems = [];
  for (const file of files) {
    if (file === 'scripts/check-links.mjs') continue;
    const text = readFileSync(join(ROOT, file), 'utf8');
    const check = file.endsWith('.md') ? markdownTargets : citedTargets;
    if (file.endsWith('.md')) problems.push(...unknownSources(file, text, files));
    for (const { target, line } of check(text)) {
      const problem = targetProblem(file, target);
      if (problem) problems.push({ file, line, problem });
    }
    for (const [index, line] of text.split('\n').entries())
      if (UNRESOLVABLE.some((pattern) => pattern.test(line)))
        problems.push({ file, line: index + 1, problem: `cites what is not in the repository: ${line.trim()}` });
  }
  problems.push(...unlistedDecisions(files));
  return problems;
}

function unlistedDecisions(files) {
  const folder = 'docs/decisions/';
  const index = readFileSync(join(ROOT, folder, 'README.md'), 'utf8');
  return files
    .filter((file) => file.startsWith(folder) && file !== `${folder}README.md`)
    .filter((file) => !index.includes(`](${file.slice(folder.length)})`))
    .map((file) => ({ file, line: 1, problem: `is not listed in ${folder}README.md` }));
}

/** Source files that a page names and that exist nowhere. */
function unknownSources(file, text, files) {
  const named = [...text.matchAll(/`(\w[\w./-]*\.(?:ts|mjs))`/g)];
  return named
    .filter(([, name]) => !files.some((other) => other === name || other.endsWith(`/${name}`)))
    .map(({ 1: name, index }) => ({
      file,
      line: text.slice(0, index).split('\n').length,
      problem: `no such source file: ${name}`,
    }));
}

/** Relative links of a page, and paths in its text, outside code blocks. */
function* markdownTargets(text) {
  let fenced = false;
  for (const [index, line] of text.split('\n').entries()) {
    if (/^\s*(```|~~~)/.test(line)) fenced = !fenced;
    if (fenced) continue;
    for (const [, path] of line.matchAll(/`((?:apps|libs|docs|scripts|deploy|examples)\/[\w./-]+)`/g))
      if (!GENERATED.test(path)) yield { target: `/${path}`, line: index + 1 };
    for (const [, target] of line.replace(/`[^`]*`/g, '').matchAll(/\]\(([^)\s]+)\)/g))
      if (!/^[a-z][a-z0-9+.-]*:/i.test(target)) yield { target, line: index + 1 };
  }
}

/** Pages that a line of code names by their path from the root. */
function* citedTargets(text) {
  for (const [index, line] of text.split('\n').entries())
    for (const [target] of line.matchAll(/(?<![\w./-])(?:docs|libs|apps)\/[\w./-]+\.md(?:#[\w-]+)?/g))
      yield { target: `/${target}`, line: index + 1 };
}

function targetProblem(file, target) {
  const [path, anchor] = target.split('#');
  const page =
    path === '' ? file : path.startsWith('/') ? path.slice(1) : normalize(join(dirname(file), decodeURI(path)));
  if (page.startsWith('..') || !existsSync(join(ROOT, page))) return `no such file: ${target}`;
  if (!anchor) return undefined;
  if (statSync(join(ROOT, page)).isDirectory() || !page.endsWith('.md')) return `no headings there: ${target}`;
  return anchorsOf(page).has(anchor) ? undefined : `no such heading: ${target}`;
}

/** The anchors that GitHub gives to the headings of a page. */
function anchorsOf(page) {
  const known = anchors.get(page);
  if (known) return known;
  const found = new Set();
  const used = new Map();
  let fenced = false;
  for (const line of readFileSync(join(ROOT, page), 'utf8').split('\n')) {
    if (/^\s*(```|~~~)/.test(line)) fenced = !fenced;
    const heading = !fenced && /^#{1,6}\s+(.*)$/.exec(line);
    if (!heading) continue;
    const slug = heading[1]
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-');
    const times = used.get(slug) ?? 0;
    used.set(slug, times + 1);
    found.add(times === 0 ? slug : `${slug}-${times}`);
  }
  anchors.set(page, found);
  return found;
}
