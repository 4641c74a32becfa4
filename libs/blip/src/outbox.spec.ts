import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameFlag, MessageType } from './message.js';
import { Outbox } from './outbox.js';
import { OutgoingMessage } from './outgoing-message.js';

const message = (number: number, flags: number, isStarted = false): OutgoingMessage => {
  const made = new OutgoingMessage(number, flags, false, Uint8Array.of(0));
  if (isStarted) made.sentBytes = 100;
  return made;
};
const drain = (outbox: Outbox): number[] => {
  const numbers: number[] = [];
  for (let taken = outbox.take(); taken; taken = outbox.take()) numbers.push(taken.number);
  return numbers;
};
const normalReply = MessageType.response;
const urgentReply = MessageType.response | FrameFlag.urgent;
const urgentRequest = MessageType.request | FrameFlag.urgent;

describe('S7: the outbox', () => {
  const fill = (...messages: OutgoingMessage[]): number[] => {
    const outbox = new Outbox();
    for (const each of messages) outbox.put(each);
    return drain(outbox);
  };

  it('is a queue', () => {
    expect(fill(message(1, 0), message(2, 0), message(3, normalReply))).toEqual([1, 2, 3]);
  });

  it('lets an urgent message overtake', () => {
    expect(fill(message(1, normalReply), message(2, normalReply), message(3, urgentReply))).toEqual([3, 1, 2]);
  });

  it('leaves one message between urgent ones', () => {
    const normal = [1, 2, 3, 4].map((number) => message(number, normalReply));
    expect(fill(...normal, message(5, urgentReply), message(6, urgentReply), message(7, urgentReply))).toEqual([
      5, 1, 6, 2, 7, 3, 4,
    ]);
  });

  it('lets the others go on between the frames of an urgent message', () => {
    const outbox = new Outbox();
    outbox.put(message(1, normalReply));
    outbox.put(message(2, urgentReply, true));
    expect(drain(outbox)).toEqual([1, 2]);
  });

  // docs/protocol/blip.md#numbers
  it('never lets a request overtake one that was not begun', () => {
    const numbers = fill(message(1, 0, true), message(2, 0), message(9, normalReply), message(3, urgentRequest));
    expect(numbers).toEqual([1, 2, 3, 9]);
  });

  // docs/protocol/blip.md#numbers
  it('keeps first frames of requests in order of their numbers, whatever is urgent', () => {
    const step = fc.record({
      isRequest: fc.boolean(),
      isUrgent: fc.boolean(),
      frames: fc.integer({ min: 1, max: 4 }),
      takes: fc.nat(3),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const outbox = new Outbox();
        const framesLeft = new Map<OutgoingMessage, number>();
        const begun: number[] = [];
        let taken = 0;
        const takeOne = (): boolean => {
          const next = outbox.take();
          if (!next) return false;
          taken++;
          if (next.isRequest && !next.isStarted) begun.push(next.number);
          next.sentBytes += 10;
          const left = framesLeft.get(next)! - 1;
          framesLeft.set(next, left);
          if (left > 0) outbox.put(next);
          return true;
        };
        let number = 0;
        for (const { isRequest, isUrgent, frames, takes } of steps) {
          const flags = (isRequest ? 0 : 1) | (isUrgent ? FrameFlag.urgent : 0);
          const next = message(isRequest ? ++number : 1000, flags);
          framesLeft.set(next, frames);
          outbox.put(next);
          for (let i = 0; i < takes; i++) takeOne();
        }
        while (takeOne());
        expect(begun).toEqual(Array.from({ length: number }, (_, i) => i + 1));
        expect(taken).toBe(steps.reduce((total, { frames }) => total + frames, 0));
        expect(outbox.isEmpty).toBe(true);
        expect(outbox.isUrgentNext).toBe(false);
      }),
    );
  });

  it('survives thousands of messages', () => {
    const outbox = new Outbox();
    const numbers: number[] = [];
    for (let number = 1; number <= 10_000; number++) {
      outbox.put(message(number, 0));
      outbox.put(message(number, normalReply));
      if (number % 3) numbers.push(outbox.take()!.number);
    }
    numbers.push(...drain(outbox));
    expect(numbers).toHaveLength(20_000);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  });
});
