import { EdgeError } from '@edgesync/errors';
import type { Message } from './envelope.js';
import { Fields } from './fields.js';

/** A worker tells where it is and how busy. */
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
    const fields = new Fields('announcement', message.meta);
    const address = fields.text('address');
    if (!/^.+:\d+$/.test(address)) throw new EdgeError('bus.invalid', 'announcement.address is not host:port');
    return new WorkerAnnouncement(
      fields.text('id'),
      address,
      fields.count('load'),
      fields.count('capacity'),
      fields.texts('protocols'),
      fields.flag('leaving'),
    );
  }
}
