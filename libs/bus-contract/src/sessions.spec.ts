import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EndSession, SESSION_ENDINGS, sessionSubject, TrafficReply, TrafficRequest } from './index.js';

const throughJson = (value: object): unknown => JSON.parse(JSON.stringify(value));
const text = fc.string({ unit: 'grapheme' });

describe('what is said about sessions', () => {
  it('arrives as it was sent', () => {
    fc.assert(
      fc.property(text, fc.constantFrom(...SESSION_ENDINGS), (session, why) => {
        const ending = new EndSession(session, why);
        expect(EndSession.parse(throughJson(ending))).toEqual(ending);
      }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(text, fc.nat(), fc.nat())), (traffic) => {
        const request = new TrafficRequest(traffic.map(([session]) => session));
        expect(TrafficRequest.parse(throughJson(request))).toEqual(request);
        const reply = new TrafficReply(traffic);
        expect(TrafficReply.parse(throughJson(reply))).toEqual(reply);
      }),
    );
  });

  it('is read or refused, whatever it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(EndSession, TrafficRequest, TrafficReply), (meta, payload) => {
        try {
          payload.parse(meta);
        } catch (error) {
          expect(error).toMatchObject({ code: 'bus.invalid' });
        }
      }),
    );
  });

  it.each([
    ['an unknown reason', () => EndSession.parse({ session: 's', why: 'boredom' })],
    ['a row without counts', () => TrafficReply.parse({ traffic: [['s', 1]] })],
    ['a row with less than nothing', () => TrafficReply.parse({ traffic: [['s', -1, 0]] })],
    ['a row that is text', () => TrafficReply.parse({ traffic: ['s'] })],
  ])('is refused with %s', (_, parse) => {
    expect(parse).toThrow(expect.objectContaining({ code: 'bus.invalid' }));
  });

  it('goes to one worker', () => {
    expect(sessionSubject('a.b', 'end')).toBe('edge.v1.session.a=2eb.end');
  });
});
