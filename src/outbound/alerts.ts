import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../config.js';
import type { Queryable } from '../database/queryable.js';
import { Outbox, type MailPayload } from './outbox.js';
import { defanged, escapeHtml, visible } from './safe-text.js';

/** A trouble of the service itself, for the people who run it. Names in it may be anybody's: they are shown as text. */
export interface Alert {
  /** The same key again is not told again. */
  readonly key: string;
  readonly subject: string;
  /** Sentences and facts, a line each; at most 200 are sent. */
  readonly lines: readonly string[];
  /** What mends it. */
  readonly remedy: string;
}

const MAX_LINES = 200;
const MAX_LINE = 500;
const MAX_SUBJECT = 150;

/** Tells the addresses of ALERT_TO, by one mail for each alert. */
@Injectable()
export class Alerts {
  constructor(
    private readonly outbox: Outbox,
    @Inject(CONFIG) private readonly config: Pick<Config, 'ALERT_TO'>,
  ) {}

  /** In the transaction that records that it was told. Without ALERT_TO nobody is: /health and the log say it all the same. */
  async tell(tx: Queryable, alert: Alert): Promise<void> {
    const { ALERT_TO: to } = this.config;
    if (to.length === 0) return;
    const digest = createHash('sha256').update(alert.key).digest('hex').slice(0, 40);
    const mail: MailPayload = { to, messageId: `alert-${digest}`, ...rendered(alert) };
    await this.outbox.enqueue(tx, [{ kind: 'mail', key: `alert:${digest}`, payload: { ...mail } }]);
  }
}

/** The mail of an alert; pure. */
export function rendered({ subject, lines, remedy }: Alert): Pick<MailPayload, 'subject' | 'text' | 'html'> {
  const shown = [...lines.slice(0, MAX_LINES), `What to do: ${remedy}`].map((line) =>
    visible(line, MAX_LINE),
  );
  const paragraphs = shown.map((line) => `<p>${escapeHtml(defanged(line))}</p>`).join('\n');
  return {
    subject: visible(`Sallyport: ${subject}`, MAX_SUBJECT),
    text: `${shown.map(defanged).join('\n')}\n`,
    html: `<!doctype html><html lang="en"><body>\n${paragraphs}\n</body></html>`,
  };
}
