import {
  checkPayloadVersion,
  decodeMessage,
  EndSession,
  encodeMessage,
  MessageKind,
  sessionSubject,
  TrafficReply,
  TrafficRequest,
  type SessionEnding,
  type SessionTraffic,
} from '@edgesync/bus-contract';
import type { Bus } from './bus.js';
import { TRAFFIC_MS } from './tuning.js';

/** A gateway's way to the sessions that workers have for its apps. */
export class SessionClient {
  constructor(private readonly bus: Bus) {}

  /**
   * Asks a worker to end a session. Whether it does shows in the end of the connection.
   * @returns whether it could be asked
   */
  end(worker: string, session: string, why: SessionEnding): boolean {
    if (!this.bus.connected) return false;
    const message = encodeMessage(MessageKind.event, EndSession.version, new EndSession(session, why));
    this.bus.publish(sessionSubject(worker, 'end'), message);
    return true;
  }

  /**
   * Traffic of sessions of a worker; of those it does not know, nothing.
   * @throws if the worker does not answer, or not as expected
   */
  async traffic(worker: string, sessions: readonly string[]): Promise<readonly SessionTraffic[]> {
    const question = encodeMessage(MessageKind.request, TrafficRequest.version, new TrafficRequest(sessions));
    const subject = sessionSubject(worker, 'traffic');
    const { data } = await this.bus.connection.request(subject, question, { timeout: TRAFFIC_MS });
    const answer = decodeMessage(data);
    checkPayloadVersion('traffic', answer.version, TrafficReply.version);
    return TrafficReply.parse(answer.meta).traffic;
  }
}
