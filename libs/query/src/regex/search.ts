import { EdgeError } from '@edgesync/errors';
import type { Program } from './program.js';

/** Steps that one search may take: about a tenth of a second. */
export const MAX_STEPS = 5_000_000;

/** Offsets of the groups, two each; −1 for a group that took no part. */
export type Captures = Int32Array;

/**
 * The first match of a program at or behind `from`: backtracking as ECMAScript has it, but counted and without
 * recursion, so that no pattern and no text hold up the server.
 * @throws EdgeError `query.runtime` when it takes too many steps
 */
export function search(program: Program, text: string, from: number): Captures | undefined {
  const machine = new Machine(program, text);
  for (let start = from; start <= text.length; start++) {
    if (machine.matchAt(start)) return machine.slots.subarray(0, 2 * program.groups);
    if (program.unicode && isPair(text, start)) start++;
  }
  return undefined;
}

class Machine {
  slots: Int32Array;
  private steps = 0;
  /** Next choices, and values to restore: a choice is (−1, instruction, position), a slot (slot, value, 0). */
  private readonly trail: number[] = [];

  constructor(
    private readonly program: Program,
    private readonly text: string,
  ) {
    this.slots = new Int32Array(program.slots);
  }

  matchAt(start: number): boolean {
    this.slots.fill(-1);
    this.trail.length = 0;
    return this.run(0, start) >= 0;
  }

  /** Runs from an instruction to its `accept`; the position there, −1 if there is no match. */
  private run(entry: number, start: number): number {
    const { instructions, unicode } = this.program;
    const { text, trail, slots } = this;
    const bottom = trail.length;
    let at = entry;
    let position = start;
    for (;;) {
      if (++this.steps > MAX_STEPS)
        throw new EdgeError('query.runtime', 'the regular expression takes too many steps for this text');
      const instruction = instructions[at]!;
      let next = at + 1;
      switch (instruction.op) {
        case 'char':
        case 'set': {
          const code = unicode ? text.codePointAt(position) : text.charCodeAt(position);
          const isMatch =
            position < text.length && (instruction.op === 'char' ? code === instruction.code : instruction.test(code!));
          if (isMatch) position += code! > 0xffff ? 2 : 1;
          else next = FAIL;
          break;
        }
        case 'split':
          trail.push(CHOICE, instruction.second, position);
          next = instruction.first;
          break;
        case 'jump':
          next = instruction.to;
          break;
        case 'save':
          this.set(instruction.slot, position);
          break;
        case 'clear':
          for (let slot = instruction.from; slot < instruction.to; slot++) this.set(slot, -1);
          break;
        case 'advanced':
          if (slots[instruction.slot] === position) next = FAIL;
          break;
        case 'start':
          if (position !== 0) next = FAIL;
          break;
        case 'end':
          if (position !== text.length) next = FAIL;
          break;
        case 'boundary':
          if ((isWord(text, position - 1) !== isWord(text, position)) === instruction.negated) next = FAIL;
          break;
        case 'back-reference': {
          const group = instruction.groups.find((candidate) => slots[2 * candidate + 1]! >= 0);
          if (group === undefined) break;
          const captured = text.slice(slots[2 * group], slots[2 * group + 1]);
          if (text.startsWith(captured, position)) position += captured.length;
          else next = FAIL;
          break;
        }
        case 'look-ahead':
          next = this.looksAhead(at + 1, position) === instruction.negated ? FAIL : instruction.next;
          break;
        case 'accept':
          return position;
      }
      if (next !== FAIL) {
        at = next;
        continue;
      }
      // Back to the last choice of this run.
      for (;;) {
        if (trail.length === bottom) return -1;
        const where = trail.pop()!;
        const what = trail.pop()!;
        const slot = trail.pop()!;
        if (slot === CHOICE) {
          at = what;
          position = where;
          break;
        }
        slots[slot] = what;
      }
    }
  }

  private set(slot: number, value: number): void {
    this.trail.push(slot, this.slots[slot]!, 0);
    this.slots[slot] = value;
  }

  /** Choices inside are forgotten; what a positive look-ahead captured stays, and is undone with the rest. */
  private looksAhead(entry: number, position: number): boolean {
    const before = this.slots.slice();
    const bottom = this.trail.length;
    const isMatch = this.run(entry, position) >= 0;
    this.trail.length = bottom;
    const after = this.slots.slice();
    this.slots.set(before);
    if (isMatch) for (const [slot, value] of after.entries()) if (value !== before[slot]) this.set(slot, value);
    return isMatch;
  }
}

const FAIL = -1;
const CHOICE = -1;

function isWord(text: string, position: number): boolean {
  return position >= 0 && position < text.length && /\w/.test(text[position]!);
}

function isPair(text: string, position: number): boolean {
  return text.codePointAt(position)! > 0xffff;
}
