import { JsonScanner } from './json-scanner.js';

/**
 * A JSON value with everything kept: numbers stay text, object members stay in order. Used where a document is looked
 * into and the speed of plain text work is not needed.
 */
export type JsonTree = string | JsonScalar | readonly JsonTree[] | JsonObject;

/** Members by key, in order. */
export type JsonObject = ReadonlyMap<string, JsonTree>;

/** A number, `true`, `false` or `null`, as spelt in the text. */
export class JsonScalar {
  constructor(readonly text: string) {}
}

export function isJsonObject(tree: JsonTree): tree is JsonObject {
  return tree instanceof Map;
}

export function isJsonArray(tree: JsonTree): tree is readonly JsonTree[] {
  return Array.isArray(tree);
}

/** Compact JSON, each string spelt as `JSON.stringify` does. */
export function writeJsonTree(tree: JsonTree): string {
  if (typeof tree === 'string') return JSON.stringify(tree);
  if (tree instanceof JsonScalar) return tree.text;
  let text = '';
  if (isJsonArray(tree)) {
    for (const item of tree) text += (text === '' ? '' : ',') + writeJsonTree(item);
    return `[${text}]`;
  }
  for (const [key, value] of tree) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${writeJsonTree(value)}`;
  return `{${text}}`;
}

/**
 * Reads any JSON text. Of members with the same key the last one wins, at the place of the first.
 * @throws EdgeError `request.json`, `doc.invalid` (nested too deep)
 */
export function parseJsonTree(text: string): JsonTree {
  const scanner = new JsonScanner(text);
  scanner.next();
  scanner.begin();
  scanner.value(0);
  const compact = scanner.take();
  scanner.end();
  return readJsonTree(compact);
}

/** Reads text that is known to be valid and compact. */
export function readJsonTree(json: string): JsonTree {
  return new TreeReader(json).value();
}

class TreeReader {
  private position = 0;

  constructor(private readonly text: string) {}

  value(): JsonTree {
    switch (this.text[this.position]) {
      case '"':
        return this.string();
      case '{':
        return this.object();
      case '[':
        return this.array();
      default:
        return this.scalar();
    }
  }

  private object(): JsonObject {
    const members = new Map<string, JsonTree>();
    if (this.skipIf('}', 1)) return members;
    do {
      this.position++;
      const key = this.string();
      this.position++;
      members.set(key, this.value());
    } while (this.text[this.position] === ',');
    this.position++;
    return members;
  }

  private array(): readonly JsonTree[] {
    const items: JsonTree[] = [];
    if (this.skipIf(']', 1)) return items;
    do {
      this.position++;
      items.push(this.value());
    } while (this.text[this.position] === ',');
    this.position++;
    return items;
  }

  /** Skips an empty container, whose end is `ahead` characters away. */
  private skipIf(end: string, ahead: number): boolean {
    if (this.text[this.position + ahead] !== end) return false;
    this.position += ahead + 1;
    return true;
  }

  private string(): string {
    const { text } = this;
    const start = this.position;
    let end = start + 1;
    let escaped = false;
    for (let code = text.charCodeAt(end); code !== 0x22; code = text.charCodeAt(++end)) {
      if (code !== 0x5c) continue;
      escaped = true;
      end++;
    }
    this.position = end + 1;
    return escaped ? (JSON.parse(text.slice(start, end + 1)) as string) : text.slice(start + 1, end);
  }

  private scalar(): JsonScalar {
    const { text } = this;
    const start = this.position;
    let end = start;
    while (end < text.length && !SCALAR_END.has(text.charCodeAt(end))) end++;
    this.position = end;
    return new JsonScalar(text.slice(start, end));
  }
}

/** `,`, `]` and `}`. */
const SCALAR_END: ReadonlySet<number> = new Set([0x2c, 0x5d, 0x7d]);
