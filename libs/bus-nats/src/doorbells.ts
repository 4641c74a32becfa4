import { ChangedSignal, changedSubject, encodeMessage, MessageKind } from '@edgesync/bus-contract';
import type { Keyspace } from '@edgesync/document';
import type { ChangeLog } from '@edgesync/ports';
import type { Bus } from './bus.js';
import { DOORBELL_MS } from './tuning.js';

/**
 * Doorbells on the ringing side. The first commit after a pause rings at once; those that follow quickly share one
 * ring, which carries the last sequence.
 */
export class Doorbells {
  private readonly stops: (() => void)[] = [];

  constructor(
    private readonly bus: Bus,
    private readonly log: ChangeLog,
  ) {}

  /**
   * Rings for a keyspace from now on. Rings at once if anything was ever written: watchers that missed the last rings
   * of a former owner get them now.
   */
  start(keyspace: Keyspace, lastSequence: number): void {
    const subject = changedSubject(keyspace);
    let waiting: number | undefined;
    let timer: NodeJS.Timeout | undefined;
    const publish = (sequence: number): void => {
      if (!this.bus.connected) return;
      this.bus.publish(subject, encodeMessage(MessageKind.event, ChangedSignal.version, new ChangedSignal(sequence)));
    };
    const pass = (): void => {
      timer = undefined;
      if (waiting === undefined) return;
      publish(waiting);
      waiting = undefined;
      timer = setTimeout(pass, DOORBELL_MS);
    };
    if (lastSequence > 0) publish(lastSequence);
    const stop = this.log.watch(keyspace, ({ sequence }) => {
      waiting = sequence;
      if (timer === undefined) pass();
    });
    this.stops.push(() => {
      stop();
      clearTimeout(timer);
      if (waiting !== undefined) publish(waiting);
    });
  }

  close(): void {
    for (const stop of this.stops.splice(0)) stop();
  }
}
