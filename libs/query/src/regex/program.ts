import { type AST, visitRegExpAST } from '@eslint-community/regexpp';

/** One step of a compiled pattern. Jumps are indices into the program. */
export type Instruction =
  | { readonly op: 'char'; readonly code: number }
  | { readonly op: 'set'; readonly test: (code: number) => boolean }
  /** Tries `first`; `second` if that fails. */
  | { op: 'split'; first: number; second: number }
  | { op: 'jump'; to: number }
  | { readonly op: 'save'; readonly slot: number }
  | { readonly op: 'clear'; readonly from: number; readonly to: number }
  /** Fails if nothing was consumed since the position saved in the slot. */
  | { readonly op: 'advanced'; readonly slot: number }
  | { readonly op: 'start' | 'end' }
  | { readonly op: 'boundary'; readonly negated: boolean }
  | { readonly op: 'back-reference'; readonly groups: readonly number[] }
  /** Matches the instructions behind it up to their `accept` without consuming; goes on at `next`. */
  | { op: 'look-ahead'; readonly negated: boolean; next: number }
  | { readonly op: 'accept' };

export interface Program {
  readonly instructions: readonly Instruction[];
  /** Two for each group, the whole match being group 0, then one for each loop. */
  readonly slots: number;
  readonly groups: number;
  readonly unicode: boolean;
}

/** Counted repeats are written out; a pattern that grows beyond this many instructions is refused. */
const MAX_INSTRUCTIONS = 20_000;

/**
 * Compiles a pattern for the {@link search} of this folder.
 * @returns undefined if it is too large, or looks behind
 */
export function compileProgram(pattern: AST.Pattern, unicode: boolean): Program | undefined {
  const compiler = new ProgramCompiler(pattern, unicode);
  return compiler.compile() ? compiler.program : undefined;
}

class ProgramCompiler {
  private readonly instructions: Instruction[] = [];
  private readonly groups = new Map<AST.CapturingGroup, number>();
  private slots: number;
  private isRefused = false;

  constructor(
    private readonly pattern: AST.Pattern,
    private readonly unicode: boolean,
  ) {
    visitRegExpAST(pattern, { onCapturingGroupEnter: (group) => void this.groups.set(group, this.groups.size + 1) });
    this.slots = 2 * (this.groups.size + 1);
  }

  compile(): boolean {
    this.emit({ op: 'save', slot: 0 });
    this.alternatives(this.pattern.alternatives);
    this.emit({ op: 'save', slot: 1 });
    this.emit({ op: 'accept' });
    return !this.isRefused;
  }

  get program(): Program {
    const { instructions, slots, groups, unicode } = this;
    return { instructions, slots, groups: groups.size + 1, unicode };
  }

  private emit<T extends Instruction>(instruction: T): T {
    if (this.instructions.length >= MAX_INSTRUCTIONS) this.isRefused = true;
    else this.instructions.push(instruction);
    return instruction;
  }

  private get here(): number {
    return this.instructions.length;
  }

  private alternatives(alternatives: readonly AST.Alternative[]): void {
    const ends: { to: number }[] = [];
    for (const [index, alternative] of alternatives.entries()) {
      const split =
        index < alternatives.length - 1 ? this.emit({ op: 'split', first: this.here + 1, second: 0 }) : undefined;
      for (const element of alternative.elements) this.element(element);
      if (!split) continue;
      ends.push(this.emit({ op: 'jump', to: 0 }));
      split.second = this.here;
    }
    for (const end of ends) end.to = this.here;
  }

  private element(element: AST.Element): void {
    if (this.isRefused) return;
    switch (element.type) {
      case 'Character':
        this.emit({ op: 'char', code: element.value });
        return;
      case 'CharacterSet':
      case 'CharacterClass':
      case 'ExpressionCharacterClass':
        this.emit({ op: 'set', test: setTest(element.raw, this.unicode) });
        return;
      case 'CapturingGroup': {
        const group = this.groups.get(element)!;
        this.emit({ op: 'save', slot: 2 * group });
        this.alternatives(element.alternatives);
        this.emit({ op: 'save', slot: 2 * group + 1 });
        return;
      }
      case 'Group':
        this.alternatives(element.alternatives);
        return;
      case 'Backreference':
        this.emit({ op: 'back-reference', groups: [element.resolved].flat().map((group) => this.groups.get(group)!) });
        return;
      case 'Quantifier':
        this.quantifier(element);
        return;
      case 'Assertion':
        this.assertion(element);
    }
  }

  private assertion(assertion: AST.Assertion): void {
    switch (assertion.kind) {
      case 'start':
      case 'end':
        this.emit({ op: assertion.kind });
        return;
      case 'word':
        this.emit({ op: 'boundary', negated: assertion.negate });
        return;
      case 'lookahead': {
        const look = this.emit({ op: 'look-ahead', negated: assertion.negate, next: 0 });
        this.alternatives(assertion.alternatives);
        this.emit({ op: 'accept' });
        look.next = this.here;
        return;
      }
      case 'lookbehind':
        this.isRefused = true;
    }
  }

  private quantifier({ element, min, max, greedy }: AST.Quantifier): void {
    const inside = this.groupsIn(element);
    for (let count = 0; count < min && !this.isRefused; count++) this.once(element, inside);
    if (max === Infinity) {
      const start = this.here;
      const split = this.emit({ op: 'split', first: 0, second: 0 });
      this.iteration(element, inside);
      this.emit({ op: 'jump', to: start });
      this.direct(split, start + 1, greedy);
      return;
    }
    const splits: { split: { first: number; second: number }; body: number }[] = [];
    for (let count = min; count < max && !this.isRefused; count++) {
      const split = this.emit({ op: 'split', first: 0, second: 0 });
      splits.push({ split, body: this.here });
      this.iteration(element, inside);
    }
    for (const { split, body } of splits) this.direct(split, body, greedy);
  }

  /** Points a split at its body and, for the other way, here. */
  private direct(split: { first: number; second: number }, body: number, greedy: boolean): void {
    split.first = greedy ? body : this.here;
    split.second = greedy ? this.here : body;
  }

  /** A repeat that consumes nothing fails: it would go on forever. */
  private iteration(element: AST.Element, inside: readonly number[]): void {
    const slot = this.slots++;
    this.emit({ op: 'save', slot });
    this.once(element, inside);
    this.emit({ op: 'advanced', slot });
  }

  /** Groups inside forget what they captured in the repeat before. */
  private once(element: AST.Element, inside: readonly number[]): void {
    if (inside.length > 0) this.emit({ op: 'clear', from: 2 * inside[0]!, to: 2 * inside.at(-1)! + 2 });
    this.element(element);
  }

  private groupsIn(element: AST.Element): number[] {
    const inside: number[] = [];
    visitRegExpAST(element, { onCapturingGroupEnter: (group) => void inside.push(this.groups.get(group)!) });
    return inside.sort((left, right) => left - right);
  }
}

/** Whether a code point belongs to a class, as the platform's own engine says. */
function setTest(source: string, unicode: boolean): (code: number) => boolean {
  const single = new RegExp(`^(?:${source})$`, unicode ? 'u' : '');
  const ascii = Uint8Array.from({ length: 128 }, (_, code) => (single.test(String.fromCharCode(code)) ? 1 : 0));
  const others = new Map<number, boolean>();
  return (code) => {
    if (code < 128) return ascii[code] === 1;
    let result = others.get(code);
    if (result === undefined) {
      result = single.test(String.fromCodePoint(code));
      others.set(code, result);
    }
    return result;
  };
}
