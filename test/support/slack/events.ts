import { randomBytes } from 'node:crypto';
import { NotDelivered, type Delivery, type Retry } from './delivery.js';
import type { Json } from './refusal.js';
import type { Workspace } from './workspace.js';

/** An event that Slack had for the service, and how bringing it went. */
export interface FakeEvent {
  readonly id: string;
  readonly event: Json;
  attempts: number;
  acknowledged: boolean;
  /** Why the last try failed. */
  trouble?: string | undefined;
}

/** Brings events to the service, up to three times more when they are not acknowledged. */
export class Events {
  readonly all: FakeEvent[] = [];
  /** How long Slack waits before each further try. Slack itself: at once, a minute, five minutes. */
  retriesAfterMs: readonly number[] = [20, 50, 100];
  private readonly stopping = new AbortController();

  constructor(
    private readonly workspace: Workspace,
    private readonly delivery: () => Delivery,
  ) {}

  /** Resolves when the service acknowledged it, or Slack gave up. */
  async send(event: Json): Promise<FakeEvent> {
    const id = `Ev${randomBytes(6).toString('hex').toUpperCase()}`;
    const sent: FakeEvent = { id, event, attempts: 0, acknowledged: false };
    this.all.push(sent);
    await this.sendAgain(sent);
    return sent;
  }

  /** Brings an event once more under its old id, as Slack does now and then. */
  async sendAgain(sent: FakeEvent): Promise<void> {
    const payload = this.envelopeOf(sent);
    let retry: Retry | undefined;
    for (const pause of [...this.retriesAfterMs, undefined]) {
      if (this.stopping.signal.aborted) return;
      sent.attempts += 1;
      try {
        await this.delivery().event(payload, retry);
        sent.acknowledged = true;
        return;
      } catch (error) {
        if (!(error instanceof NotDelivered)) throw error;
        sent.trouble = error.message;
        if (error.isFinal || pause === undefined) return;
        retry = { attempt: (retry?.attempt ?? 0) + 1, reason: error.reason };
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  stop(): void {
    this.stopping.abort();
  }

  private envelopeOf({ id, event }: FakeEvent): Json {
    const { teamId, appId, botUserId } = this.workspace;
    return {
      team_id: teamId,
      api_app_id: appId,
      event,
      type: 'event_callback',
      event_id: id,
      event_time: Math.floor(this.workspace.now() / 1000),
      authorizations: [{ enterprise_id: null, team_id: teamId, user_id: botUserId, is_bot: true }],
    };
  }
}
