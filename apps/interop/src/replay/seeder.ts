import type { SeedRevision, ServerState } from './server-state.js';
import { Peer } from './peer.js';
import { changeRows, profileOf } from './recorded-messages.js';

/** Brings a server into the state that a recording begins with, as another client would. */
export class Seeder {
  private constructor(private readonly peer: Peer) {}

  static async connect(url: string, { blobs }: ServerState, asks: readonly string[]): Promise<Seeder> {
    const peer = await Peer.connect(url, ['BLIP_3+CBMobile_4']);
    const seeder = new Seeder(peer);
    peer.onRequest = (request) => {
      if (profileOf(request) !== 'getAttachment') return;
      const body = blobs.get(request.properties.get('digest')!);
      if (body) request.respond({ body });
      else request.respondError({ domain: 'HTTP', code: 404, message: 'not recorded' });
    };
    const checkpoint_ids = asks.map((_, index) => `cp-seed-${index}`);
    await peer.ask('getCollections', {}, JSON.stringify({ collections: asks, checkpoint_ids }));
    return seeder;
  }

  async push(revisions: readonly SeedRevision[]): Promise<void> {
    for (const { collection, id, rev, history, deleted, body } of revisions) {
      const reply = await this.peer.ask(
        'rev',
        {
          collection: String(collection),
          id,
          rev,
          ...(history !== '' && { history }),
          ...(deleted && { deleted: '1' }),
        },
        body,
      );
      if (reply.error) throw new Error(`seeding ${id} ${rev}: ${JSON.stringify(reply.error)}`);
    }
  }

  async saveCheckpoints(checkpoints: ServerState['checkpoints']): Promise<void> {
    for (const { collection, client, body } of checkpoints)
      await this.peer.ask('setCheckpoint', { collection: String(collection), client, rev: '' }, body);
  }

  /** Sequences by `id rev` of what a collection holds now, and the last of them. */
  async sequences(collection: number, versioning: string): Promise<ReadonlyMap<string, number>> {
    const isMine = (request: { properties: { get(name: string): string | undefined } }): boolean =>
      request.properties.get('collection') === String(collection);
    const from = this.peer.requests.length;
    await this.peer.ask('subChanges', { collection: String(collection), versioning, batch: '1000' });
    const lists = await this.peer.until('its changes', () => {
      const changes = this.peer.requests
        .slice(from)
        .filter((request) => profileOf(request) === 'changes' && isMine(request));
      for (const request of changes) if (!request.answered) request.respond({ body: new TextEncoder().encode('[]') });
      return changes.some(({ noReply }) => noReply) ? changes : undefined;
    });
    return new Map(lists.flatMap(changeRows).map(([sequence, id, rev]) => [`${id} ${rev}`, sequence]));
  }

  async close(): Promise<void> {
    await this.peer.connection.close();
  }
}
