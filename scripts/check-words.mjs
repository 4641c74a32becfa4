// Lists words that this project does not use, with what to write instead. `node scripts/check-words.mjs [path…]`
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** These pages explain the words. */
const EXCEPT = new Set(['docs/glossary.md', 'scripts/check-words.mjs']);

const WORDS = [
  [/\b(tell|tells|telling|told|untold)\b/i, 'report, return, notify, log, say, name; "look the same"'],
  [/\bmend(s|ed|ing|able)?\b/i, 'fix'],
  [/\bdear(er|est)?\b/i, 'costly, expensive'],
  [/\banew\b/i, 'again'],
  [/(?<!there )\b(is|are|was|were) none\b/i, 'there is no …'],
  [/\bno matter of\b/i, 'does not concern, is not the job of'],
  [/\bwhoever\b/i, 'a noun: the caller, the reader, the peer'],
  [/\b(take|takes|took|taking) (no )?leave\b/i, 'disconnect, end'],
  [/\b(hear|hears|heard|hearing)\b/i, 'receive, observe'],
  [/\bbeliev(e|es|ed|ing|able)\b/i, 'accept, trust'],
  [/\b(whence|thereof|hitherto|thereupon|wherefore|lest|henceforth)\b/i, 'a word of today'],
  [/^\s*\/?\*\*?\s+(What|Who|Whatever)\b/, 'a doc comment starts with a noun or a verb'],
  [/^\s*(\/\/|\/?\*\*?)\s+Of an?\b/, 'subject first'],
];

const only = process.argv.slice(2);
let hits = 0;
for (const file of trackedFiles()) {
  if (EXCEPT.has(file) || (only.length > 0 && !only.some((path) => file.startsWith(path)))) continue;
  for (const [index, line] of readFileSync(join(ROOT, file), 'utf8').split('\n').entries())
    for (const [pattern, instead] of WORDS) {
      const word = pattern.exec(line)?.[0].trim();
      if (!word) continue;
      console.error(`${file}:${index + 1}: "${word}" → ${instead}`);
      hits++;
    }
}
if (hits > 0) {
  console.error(`${hits} words to replace; docs/glossary.md has the project's words`);
  process.exitCode = 1;
}

function trackedFiles() {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: ROOT });
  return listed
    .toString()
    .split('\n')
    .filter((file) => /(\.(md|ts|js|mjs|json|json5|yml|yaml)|Dockerfile|edgesync)$/.test(file))
    .filter((file) => !/(^|\/)fixtures\/|^pnpm-lock/.test(file) && existsSync(join(ROOT, file)));
}
