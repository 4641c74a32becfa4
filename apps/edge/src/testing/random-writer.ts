import { createHash } from 'node:crypto';

/** A known or suspected state of a document: its properties, or undefined if it is deleted or was never written. */
export type Content = Record<string, unknown> | undefined;

/** The writer's notes about one of its documents. */
interface Known {
  /** As last acknowledged. */
  content: Content;
  rev: string | undefined;
  /** Its state if an unanswered request was processed. */
  pending: { readonly content: Content; readonly group: string } | undefined;
}

type Random = () => number;

/**
 * Writes to documents of its own, one request at a time, and remembers what was acknowledged. What it does is drawn
 * from `random`.
 */
export class RandomWriter {
  readonly documents = new Map<string, Known>();
  acknowledged = 0;
  private counter = 0;

  constructor(
    private readonly name: string,
    private readonly url: string,
    private readonly random: Random,
  ) {}

  /** Writes until the server is gone, or is not able to answer, or the signal is given. */
  async run(signal?: AbortSignal): Promise<void> {
    while (!signal?.aborted) {
      try {
        await this.step();
      } catch (error) {
        if (error instanceof UnexpectedStatus) throw error;
        return;
      }
    }
  }

  private async step(): Promise<void> {
    const draw = this.random();
    const mine = [...this.documents].filter(([, known]) => known.rev !== undefined && known.content !== undefined);
    const target = mine[Math.floor(this.random() * mine.length)];
    if (!target || draw < 0.3) return this.put(`${this.name}-${this.counter++}`, { value: this.random() });
    const [id, known] = target;
    if (draw < 0.5) return this.put(id, { value: this.random(), before: known.rev });
    if (draw < 0.65) return this.delete(id);
    if (draw < 0.8) return this.blob(id);
    return this.bulk();
  }

  private async put(id: string, content: Record<string, unknown>): Promise<void> {
    const known = this.known(id);
    const query = known.rev ? `?rev=${known.rev}` : '';
    await this.change(id, content, 201, () => this.send('PUT', `${id}${query}`, JSON.stringify(content)));
  }

  private async delete(id: string): Promise<void> {
    await this.change(id, undefined, 200, () => this.send('DELETE', `${id}?rev=${this.known(id).rev}`));
  }

  private async blob(id: string): Promise<void> {
    const known = this.known(id);
    const bytes = Buffer.alloc(100 + Math.floor(this.random() * 30_000), String(this.random()));
    const digest = `sha1-${createHash('sha1').update(bytes).digest('base64')}`;
    const blob = { '@type': 'blob', content_type: 'image/png', digest, length: bytes.length };
    const content = { ...known.content, picture: blob };
    await this.change(id, content, 201, () => this.send('PUT', `${id}/picture?rev=${known.rev}`, bytes, 'image/png'));
  }

  private async bulk(): Promise<void> {
    const group = `${this.name}-bulk-${this.counter++}`;
    const ids = Array.from({ length: 10 }, (_, index) => `${group}-${index}`);
    for (const id of ids) this.known(id).pending = { content: { group }, group };
    const response = await this.send(
      'POST',
      '_bulk_docs',
      JSON.stringify({ docs: ids.map((_id) => ({ _id, group })) }),
    );
    if (response.status !== 201) throw refusal('bulk', response.status, await response.text());
    const results = (await response.json()) as { id: string; rev: string }[];
    for (const { id, rev } of results) this.acknowledge(id, { group }, rev);
  }

  private async change(id: string, content: Content, status: number, send: () => Promise<Response>): Promise<void> {
    const known = this.known(id);
    known.pending = { content, group: id };
    const response = await send();
    const text = await response.text();
    if (response.status !== status) throw refusal(id, response.status, text);
    this.acknowledge(id, content, (JSON.parse(text) as { rev: string }).rev);
  }

  private acknowledge(id: string, content: Content, rev: string): void {
    this.documents.set(id, { content, rev, pending: undefined });
    this.acknowledged++;
  }

  private known(id: string): Known {
    let known = this.documents.get(id);
    if (!known) this.documents.set(id, (known = { content: undefined, rev: undefined, pending: undefined }));
    return known;
  }

  private send(method: string, path: string, body?: string | Buffer, type = 'application/json'): Promise<Response> {
    return fetch(`${this.url}/db/${path}`, {
      method,
      ...(body !== undefined && {
        body: typeof body === 'string' ? body : new Uint8Array(body),
        headers: { 'Content-Type': type },
      }),
    });
  }
}

/** After 503 a write may or may not have been carried out, as after a connection that broke. */
const refusal = (what: string, status: number, text: string): Error =>
  status === 503 ? new Error(text) : new UnexpectedStatus(`${what}: ${status} ${text}`);

/** An answer that the writer cannot have deserved: the test fails. */
export class UnexpectedStatus extends Error {}
