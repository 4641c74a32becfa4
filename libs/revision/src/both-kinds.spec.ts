import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIncoming, type DocumentState } from './incoming.js';
import { integrate, localEdit } from './integrate.js';
import { currentIdLike, isKnown } from './known.js';
import type { Minting, Stored } from './outcome.js';
import { proposeVerdict } from './propose.js';
import { decideTreeConflict, decideVersionConflict } from './resolve.js';
import { mintRevId, compareRevIds, generationOf } from './rev-id.js';
import { RevTree } from './rev-tree.js';
import { historyOf } from './rev-tree-text.js';
import { compareVersionsByTime } from './version.js';
import {
  compareVectors,
  currentVersionOf,
  editVector,
  historyForRev,
  resolveToWinner,
  vectorIncludes,
} from './version-vector.js';

// One document, edited by two Couchbase Lite 3.x clients (rev trees), two 4.x clients (versions) and REST, in any order,
// with lost checkpoints. What every edit descends from is recorded beside the protocol, and is the judge of its answers.

const sha1 = (text: string): string => createHash('sha1').update(text).digest('hex');
const SERVER = 'czSYLoW3QpyTXM5g18SElQ';
const VECTOR_SOURCES = ['AliceAliceAliceAliceAA', 'BobBobBobBobBobBobBobA'] as const;

interface Edit {
  readonly body: string;
  readonly deleted: boolean;
  /** Every edit this one descends from, itself included: the truth. */
  readonly past: ReadonlySet<string>;
}

class Clock {
  #now = 1n << 60n;
  next(source: string, skew = 0n): string {
    this.#now += 1n << 20n;
    return `${(this.#now + skew).toString(16)}@${source}`;
  }
}

class Server {
  state: DocumentState | undefined;
  current: Edit | undefined;
  writes = 0;

  constructor(readonly clock: Clock) {}

  minting(edit: Edit): Minting {
    return {
      mintVersion: () => this.clock.next(SERVER),
      mintTreeRev: (parent) => mintRevId({ parent, deleted: edit.deleted, canonicalBody: edit.body, sha1 }),
    };
  }

  rest(edit: Edit): void {
    this.#store(localEdit(this.state, edit.deleted, this.minting(edit)), edit);
  }

  /** The reply to the `rev` message. */
  push(rev: string, history: string, edit: Edit): 'stored' | 'known' | 'conflict' {
    const incoming = parseIncoming(rev, history, { deleted: edit.deleted });
    const outcome = integrate(this.state, incoming, { ...this.minting(edit), onConflict: 'refuse' });
    if (outcome.status === 'stored') {
      // B3: whatever is stored builds on the current revision, unless it begins a new life after a tombstone.
      const current = this.current;
      const unrelated =
        current?.deleted === true && ![...edit.past].some((id) => id !== edit.body && current.past.has(id));
      expect(current === undefined || edit.past.has(current.body) || unrelated).toBe(true);
      this.#store(outcome, edit);
    } else if (outcome.status === 'known') {
      // B2: what is known is part of the history that led to the current revision.
      expect(this.current!.past.has(edit.body)).toBe(true);
    } else {
      // B4: a conflict is one.
      expect(edit.past.has(this.current!.body)).toBe(false);
    }
    return outcome.status;
  }

  #store(outcome: Stored, edit: Edit): void {
    expect(outcome.content).toBe('incoming');
    const past = new Set([...(this.current?.past ?? []), ...edit.past]);
    this.current = { ...edit, past };
    this.state = { rev: outcome.rev, tree: outcome.tree, vector: outcome.vector, deleted: outcome.deleted };
    this.writes++;
    // B1: both halves name the same revision, and the text says what the tree says.
    const tree = RevTree.decode(outcome.tree);
    expect(tree.winner()).toBe(outcome.rev);
    expect(tree.isDeleted(outcome.rev)).toBe(outcome.deleted);
    expect(tree.encode()).toBe(outcome.tree);
  }
}

abstract class Client {
  edit: Edit | undefined;
  /** Whether there is an edit that was neither pushed nor refused. */
  pending = false;

  constructor(
    readonly server: Server,
    readonly clock: Clock,
  ) {}

  /** The revision that the client knows the server to have; '' after its checkpoint was lost. */
  protected parent = '';
  protected abstract readonly id: string;
  protected abstract proposal(): string;
  protected abstract isAncestor(id: string): boolean;
  protected abstract history(): string;
  protected abstract write(edit: Edit): void;
  abstract pull(): void;

  change(body: string, deleted: boolean): void {
    if (deleted && (!this.edit || this.edit.deleted)) return;
    const edit = { body: `{"n":"${body}"}`, deleted, past: new Set([...(this.edit?.past ?? []), `{"n":"${body}"}`]) };
    this.write(edit);
    this.edit = edit;
    this.pending = true;
  }

  loseCheckpoint(): void {
    if (!this.edit) return;
    this.parent = '';
    this.pending = true;
  }

  push(): void {
    if (!this.pending || !this.edit) return;
    this.pending = false;
    let verdict = proposeVerdict(this.server.state, this.proposal(), this.parent);
    if (verdict === 409) {
      const current = currentIdLike(this.server.state!, this.id);
      if (current !== this.id && this.isAncestor(current)) {
        this.parent = current;
        verdict = proposeVerdict(this.server.state, this.proposal(), this.parent);
        // docs/protocol/replication.md#what-409-does, docs/protocol/replication.md#after-a-lost-checkpoint: once the
        // pusher names our current revision as an ancestor, there is no reason to refuse.
        expect(verdict).toBe(0);
      }
    }
    // B4: a refused proposal did not build on the current revision, so the pull will bring something to resolve.
    if (verdict === 409) expect(this.edit.past.has(this.server.current!.body)).toBe(false);
    if (verdict === 304) {
      expect(this.server.current!.past.has(this.edit.body)).toBe(true);
      this.parent = this.id;
    }
    if (verdict === 0) {
      const status = this.server.push(this.id, this.history(), this.edit);
      if (status !== 'conflict') this.parent = this.id;
    }
  }
}

/** Couchbase Lite 3.x, as far as revisions go: a line of ancestors, the server's branch kept in conflicts. */
class TreeClient extends Client {
  line: string[] = [];
  protected get id(): string {
    return this.line[0] as string;
  }
  protected proposal(): string {
    return this.id;
  }
  protected isAncestor(id: string): boolean {
    return this.line.includes(id);
  }
  protected history(): string {
    const ancestors = this.line.slice(1);
    const stop = ancestors.indexOf(this.parent);
    return (stop === -1 ? ancestors : ancestors.slice(0, stop + 1)).join(',');
  }
  protected write(edit: Edit): void {
    this.line.unshift(mintRevId({ parent: this.line[0], deleted: edit.deleted, canonicalBody: edit.body, sha1 }));
  }
  pull(): void {
    const { state, current } = this.server;
    if (!state || !current || this.line.includes(state.rev)) return;
    const line = [state.rev, ...historyOf(state.tree, state.rev, { max: 50, stopAt: this.line.slice(0, 1) })];
    const forward = this.edit === undefined || this.parent === this.id || line.includes(this.id);
    const localWins =
      !forward &&
      decideTreeConflict({ id: this.id, deleted: this.edit!.deleted }, { id: state.rev, deleted: current.deleted }) ===
        'local';
    const local = this.edit;
    this.line = [...line, ...this.line.slice(this.line.indexOf(line.at(-1)!) + 1 || this.line.length)];
    this.parent = state.rev;
    this.edit = current;
    this.pending = false;
    if (!localWins) return;
    const merged = { ...local!, past: new Set([...local!.past, ...current.past]) };
    this.write(merged);
    this.edit = merged;
    this.pending = true;
  }
}

/** Couchbase Lite 4.x: a vector, the last write winning conflicts. */
class VectorClient extends Client {
  vector = '';

  constructor(
    server: Server,
    clock: Clock,
    readonly source: string,
    readonly skew: bigint,
    readonly proposesWhole: boolean,
  ) {
    super(server, clock);
  }
  protected get id(): string {
    return currentVersionOf(this.vector);
  }
  protected proposal(): string {
    return this.proposesWhole ? this.vector : this.id;
  }
  protected isAncestor(id: string): boolean {
    return vectorIncludes(this.vector, id);
  }
  protected history(): string {
    return historyForRev(this.vector);
  }
  protected write(): void {
    const version = this.clock.next(this.source, this.skew);
    this.vector = this.vector === '' ? version : editVector(this.vector, version);
  }
  pull(): void {
    const { state, current } = this.server;
    if (!state || !current) return;
    const relation = this.vector === '' ? 'newer' : compareVectors(this.vector, state.vector);
    if (relation === 'same' || relation === 'older') return;
    const localWins = relation === 'conflict' && compareVersionsByTime(this.id, currentVersionOf(state.vector)) > 0;
    this.parent = currentVersionOf(state.vector);
    if (localWins) {
      this.vector = resolveToWinner(this.vector, state.vector);
      this.edit = { ...this.edit!, past: new Set([...this.edit!.past, ...current.past]) };
    } else {
      this.vector = relation === 'conflict' ? resolveToWinner(state.vector, this.vector) : state.vector;
      this.edit = current;
    }
    this.pending = localWins;
  }
}

describe('documents edited by both kinds of clients', () => {
  const who = fc.nat(3);
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('edit' as const), who, dead: fc.nat(4) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('push' as const), who, dead: fc.constant(0) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('pull' as const), who, dead: fc.constant(0) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('lose' as const), who, dead: fc.constant(0) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('rest' as const), who, dead: fc.nat(4) }) },
  );

  function world(): { server: Server; clients: Client[] } {
    const clock = new Clock();
    const server = new Server(clock);
    const clients = [
      new TreeClient(server, clock),
      new TreeClient(server, clock),
      new VectorClient(server, clock, VECTOR_SOURCES[0], 5n << 20n, true),
      new VectorClient(server, clock, VECTOR_SOURCES[1], -(5n << 20n), false),
    ];
    return { server, clients };
  }

  it('B1-B6: converge in any interleaving, lose nothing without a 409, and come to rest', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 40, size: 'max' }), (steps) => {
        const { server, clients } = world();
        for (const [index, { kind, who: at, dead }] of steps.entries()) {
          const client = clients[at]!;
          if (kind === 'edit') client.change(String(index), dead === 1);
          if (kind === 'push') client.push();
          if (kind === 'pull') client.pull();
          if (kind === 'lose') client.loseCheckpoint();
          if (kind === 'rest' && !(dead === 1 && !server.current)) {
            const body = `{"n":"${index}"}`;
            server.rest({ body, deleted: dead === 1, past: new Set([...(server.current?.past ?? []), body]) });
          }
        }
        const round = (): void => {
          for (const client of clients) {
            client.pull();
            client.push();
            client.pull();
          }
        };
        for (let count = 0; count < 6; count++) round();
        // B5: everybody has the same.
        for (const client of clients) {
          if (!client.edit && !server.current) continue;
          expect([client.edit?.body, client.edit?.deleted]).toEqual([server.current?.body, server.current?.deleted]);
        }
        // B6: nothing moves any more, also when everything is offered again with a lost checkpoint.
        const writes = server.writes;
        round();
        for (const client of clients) client.loseCheckpoint();
        round();
        expect(server.writes).toBe(writes);
        if (server.state) {
          expect(isKnown(server.state, server.state.rev)).toBe(true);
          expect(isKnown(server.state, server.state.vector)).toBe(true);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('B7: two servers that resolve the same pair pick the same content', () => {
    const edits = fc.record({
      left: fc.nat(3),
      right: fc.nat(3),
      base: fc.boolean(),
      leftDead: fc.boolean(),
      rightDead: fc.boolean(),
      tree: fc.boolean(),
    });
    fc.assert(
      fc.property(edits, ({ left, right, base, leftDead, rightDead, tree }) => {
        const clock = new Clock();
        const start: DocumentState = { rev: '1-aa', tree: '1-aa', vector: clock.next(SERVER), deleted: false };
        const sides = [
          { source: VECTOR_SOURCES[0], count: left, dead: leftDead },
          { source: VECTOR_SOURCES[1], count: right, dead: rightDead },
        ].map(({ source, count, dead }) => {
          const make = (body: string, deleted: boolean, state?: DocumentState): DocumentState =>
            localEdit(state, deleted, {
              mintVersion: () => clock.next(source),
              mintTreeRev: (parent) => mintRevId({ parent, deleted, canonicalBody: `{"s":"${source}${body}"}`, sha1 }),
            });
          let state = base ? start : make('0', false);
          for (let n = 0; n <= count; n++) state = make(String(n), false, state);
          return dead ? make('end', true, state) : state;
        });
        const resolve = (local: DocumentState, remote: DocumentState): { won: DocumentState; after: Stored } => {
          const incoming = tree
            ? parseIncoming(remote.rev, historyOf(remote.tree, remote.rev, { max: 50 }).join(','), {
                deleted: remote.deleted,
              })
            : parseIncoming(currentVersionOf(remote.vector), historyForRev(remote.vector), { deleted: remote.deleted });
          const after = integrate(local, incoming, {
            mintVersion: () => clock.next(SERVER),
            mintTreeRev: (parent, content) =>
              `${generationOf(parent ?? '') + 1}-${content === 'incoming' ? 'aa' : 'bb'}`,
            onConflict: 'resolve',
          }) as Stored;
          expect(after.status).toBe('stored');
          expect(after.deleted).toBe(after.content === 'current' ? local.deleted : remote.deleted);
          if (after.resolved) expect(after.content).toBe(after.resolved === 'local' ? 'current' : 'incoming');
          expect(RevTree.decode(after.tree).winner()).toBe(after.rev);
          expect(vectorIncludes(after.vector, currentVersionOf(local.vector))).toBe(true);
          // What was resolved is not met again.
          expect(isKnown(after, tree ? remote.rev : currentVersionOf(remote.vector))).toBe(true);
          return { won: after.content === 'current' ? local : remote, after };
        };
        const [one, two] = sides as [DocumentState, DocumentState];
        expect(resolve(one, two).won).toBe(resolve(two, one).won);
        if (!tree) {
          expect(currentVersionOf(resolve(one, two).after.vector)).toBe(
            currentVersionOf(resolve(two, one).after.vector),
          );
        }
      }),
    );
  });

  it('B7: the rule: deletion, generation, ID; for versions the last write', () => {
    const side = (id: string, deleted = false): { id: string; deleted: boolean } => ({ id, deleted });
    expect(decideTreeConflict(side('9-aa'), side('2-aa', true))).toBe('remote');
    expect(decideTreeConflict(side('9-aa'), side('10-aa'))).toBe('remote');
    expect(decideTreeConflict(side('2-ab'), side('2-aa'))).toBe('local');
    expect(decideVersionConflict('10@a', 'f@b')).toBe('local');
    expect(decideVersionConflict('10@a', '10@b')).toBe('remote');
    expect(compareRevIds('2-ab', '2-aa')).toBeGreaterThan(0);
  });
});
