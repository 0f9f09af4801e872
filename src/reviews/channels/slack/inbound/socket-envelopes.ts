import { Inject, Injectable } from '@nestjs/common';
import { AppError } from '../../../../errors.js';
import { LOG, type Log } from '../../../../ops/log.js';
import { SlackWorkspace } from '../setup/slack-workspace.js';
import { AfterWork } from './after-work.js';
import type { SlackHome } from './handled.js';
import { SlackCounts } from './slack-counts.js';
import { SlackInbound, type InboundKind } from './slack-inbound.js';
import type { SocketEnvelope, SocketListener } from './socket.js';

const KINDS: ReadonlySet<string> = new Set<InboundKind>(['interactive', 'slash_commands', 'events_api']);
// What is being answered when the connection is given up.
const SETTLE_MS = 2_000;

/** What comes in over a connection, handed to the one handler. */
@Injectable()
export class SocketEnvelopes {
  private readonly pending = new Set<Promise<void>>();

  constructor(
    @Inject(LOG) private readonly log: Log,
    private readonly workspace: SlackWorkspace,
    private readonly inbound: SlackInbound,
    private readonly after: AfterWork,
    private readonly counts: SlackCounts,
  ) {}

  /** For one connection to this workspace. */
  listener(home: SlackHome): SocketListener {
    return {
      greeted: (appId) => {
        if (appId !== undefined) this.track(this.workspace.heardAppId(appId));
      },
      received: (envelope) => this.track(this.receive(envelope, home)),
      nonsense: () => this.counts.refused('socket', 'malformed'),
    };
  }

  /** Waits a little for what is being answered. */
  async settled(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, SETTLE_MS);
    });
    await Promise.race([Promise.all(this.pending), late]);
    clearTimeout(timer);
  }

  private track(work: Promise<void>): void {
    const done = this.caught(work).finally(() => this.pending.delete(done));
    this.pending.add(done);
  }

  /** What is not acknowledged Slack tells again, or shows as failed to whoever clicked. */
  private async caught(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      const isPassing = error instanceof AppError && error.retryable;
      this.log[isPassing ? 'warn' : 'error'](
        { err: error },
        'something that came from Slack could not be handled',
      );
    }
  }

  private async receive({ type, payload, ack }: SocketEnvelope, home: SlackHome): Promise<void> {
    if (!isKind(type)) return ack();
    const began = performance.now();
    const handled = await this.inbound.receive(type, payload, (await this.workspace.known()) ?? home);
    // Telling it again would change nothing.
    if (handled.refused !== undefined) this.counts.refused('socket', handled.refused);
    // Somebody clicked, whether or not Slack hears of it from us.
    if (handled.afterwards !== undefined) this.after.begin(handled.afterwards);
    await ack(handled.ack);
    this.counts.acknowledged('socket', type, performance.now() - began);
  }
}

const isKind = (type: string): type is InboundKind => KINDS.has(type);
