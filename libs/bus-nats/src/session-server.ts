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
import type { Msg, Subscription } from '@nats-io/transport-node';
import type { Bus } from './bus.js';

/** Services of a worker for the gateways whose apps it serves. */
export interface SessionHandlers {
  /** Ends a session, if there is one of that name. */
  end(session: string, why: SessionEnding): void;
  /** Of those of the sessions that there are. */
  traffic(sessions: readonly string[]): readonly SessionTraffic[];
}

/** Answers what gateways ask about sessions of one worker. */
export class SessionServer {
  private readonly subscriptions: readonly Subscription[];

  /**
   * @param worker ID under which the worker announces itself
   * @param report receives errors about messages that make no sense
   */
  constructor(
    private readonly bus: Bus,
    worker: string,
    private readonly handlers: SessionHandlers,
    private readonly report: (error: unknown) => void = () => undefined,
  ) {
    this.subscriptions = [
      this.serve(sessionSubject(worker, 'end'), (message) => this.end(message)),
      this.serve(sessionSubject(worker, 'traffic'), (message) => this.traffic(message)),
    ];
  }

  close(): void {
    if (this.bus.connection.isClosed()) return;
    for (const subscription of this.subscriptions) subscription.unsubscribe();
  }

  private serve(subject: string, handle: (message: Msg) => void): Subscription {
    return this.bus.connection.subscribe(subject, {
      callback: (error, message) => {
        if (error) return;
        try {
          handle(message);
        } catch (fault) {
          this.report(fault);
        }
      },
    });
  }

  private end({ data }: Msg): void {
    const message = decodeMessage(data);
    checkPayloadVersion('end of a session', message.version, EndSession.version);
    const { session, why } = EndSession.parse(message.meta);
    this.handlers.end(session, why);
  }

  private traffic({ data, reply }: Msg): void {
    const message = decodeMessage(data);
    checkPayloadVersion('question for traffic', message.version, TrafficRequest.version);
    const { sessions } = TrafficRequest.parse(message.meta);
    const answer = new TrafficReply(this.handlers.traffic(sessions));
    if (reply) this.bus.publish(reply, encodeMessage(MessageKind.reply, TrafficReply.version, answer));
  }
}
