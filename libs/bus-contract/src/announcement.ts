import * as v from 'valibot';
import type { Message } from './envelope.js';
import { count, flag, object, parse, text, texts } from './schema.js';

const announcementMeta = object({
  id: text(),
  address: v.pipe(text(), v.regex(/^.+:\d+$/, 'expected host:port')),
  load: count(),
  capacity: count(),
  protocols: texts(),
  leaving: flag(),
});

/** A worker reports its address and its load. */
export class WorkerAnnouncement {
  static readonly version = 1;

  constructor(
    /** Unique per run of a process. */
    readonly id: string,
    /** Where it accepts connections: `host:port`. */
    readonly address: string,
    /** Sessions it has now. */
    readonly load: number,
    /** Sessions it takes at most. */
    readonly capacity: number,
    /** Sub-protocols it speaks. */
    readonly protocols: readonly string[],
    /** Takes no more sessions; sent last. */
    readonly leaving: boolean,
  ) {}

  static parse(message: Message): WorkerAnnouncement {
    const { id, address, load, capacity, protocols, leaving } = parse('announcement', announcementMeta, message.meta);
    return new WorkerAnnouncement(id, address, load, capacity, protocols, leaving);
  }
}
