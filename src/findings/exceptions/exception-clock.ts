import { createHash } from 'node:crypto';
import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Directory } from '../../access/directory.js';
import { appendAudit } from '../../audit/audit.js';
import { Clock, type Instant } from '../../clock.js';
import { CONFIG, publicUrl, type Config } from '../../config.js';
import { Database } from '../../database/database.js';
import type { Queryable } from '../../database/queryable.js';
import { LOG, type Log } from '../../ops/log.js';
import { rendered } from '../../outbound/alerts.js';
import { OutboxBell } from '../../outbound/outbox-bell.js';
import { Outbox, type MailPayload, type OutboxMessage } from '../../outbound/outbox.js';
import { Recurring } from '../../recurring.js';
import { wholeMilliseconds } from '../../verdicts/whole-milliseconds.js';
import { dueWarning, nextStep, type Exception } from './exception.js';
import { Exceptions } from './exceptions.service.js';
import { lockDue, markWarned } from './sql/exception-rows.js';
import { dayOf, targetWords } from './wording.js';

const LOOK_EVERY_MS = 10_000;
// After an outage all that is due comes at once; what is beyond comes with the next look.
const MOST_AT_ONCE = 500;
const MOST_NAMED = 100;

interface Warning {
  readonly exception: Exception;
  readonly days: number;
}

/**
 * Lets time act on exceptions: people are told ahead, and at the end what was answered for is open again. Time is rows: it
 * goes on after a restart, and each step is marked in the transaction of what it does. Runs in role engine.
 */
@Injectable()
export class ExceptionClock implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly rounds: Recurring;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOG) log: Log,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly outbox: Outbox,
    private readonly bell: OutboxBell,
    @Inject(Directory) private readonly directory: Pick<Directory, 'people'>,
    private readonly exceptions: Exceptions,
  ) {
    this.rounds = new Recurring({
      clock,
      log,
      everyMs: LOOK_EVERY_MS,
      onFailure: 'what is due for exceptions could not be done; tried again soon',
      turn: () => this.tick(),
    });
  }

  onApplicationBootstrap(): void {
    if (this.config.ROLES.includes('engine')) this.rounds.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.rounds.stop();
  }

  /** Does what is due. @returns how much that was. */
  async tick(): Promise<number> {
    const now = wholeMilliseconds(this.clock);
    const done = await this.db.transaction(async (tx) => {
      const due = await lockDue(tx, now, MOST_AT_ONCE);
      const warnings: Warning[] = [];
      for (const exception of due) {
        if (now >= exception.expiresAt) await this.expire(tx, exception, now);
        else {
          const days = exception.state === 'IN_FORCE' ? dueWarning(exception, now) : undefined;
          if (days !== undefined) warnings.push({ exception, days });
          const warnedDays = days ?? exception.warnedDays;
          const nextAt = nextStep({ ...exception, warnedDays }, now).at;
          await markWarned(tx, { id: exception.id, warnedDays, nextAt });
        }
      }
      if (warnings.length > 0) await this.warn(tx, warnings, now);
      return due.length;
    });
    if (done > 0) this.bell.ring();
    return done;
  }

  private async expire(tx: Queryable, { id, state }: Exception, now: Instant): Promise<void> {
    const reason = state === 'IN_FORCE' ? 'its time is over' : 'its time was over before anybody agreed';
    await this.exceptions.end(tx, { id, from: [state], to: 'EXPIRED', by: 'system:exceptions', reason, now });
  }

  /** One mail for each person, about all that concern them: who asked, who agreed, else ALERT_TO. */
  private async warn(tx: Queryable, warnings: readonly Warning[], now: Instant): Promise<void> {
    const people = new Map((await this.directory.people()).map((person) => [person.id, person]));
    const byAddress = new Map<string, Warning[]>();
    for (const warning of warnings) {
      const { requestedBy, decided } = warning.exception;
      const ids = new Set([requestedBy.id, decided?.by.id ?? requestedBy.id]);
      const addresses = [...ids].flatMap((id) => {
        const person = people.get(id);
        return person === undefined || person.disabled ? [] : (person.email?.toLowerCase() ?? []);
      });
      for (const address of new Set(addresses.length === 0 ? this.config.ALERT_TO : addresses))
        byAddress.set(address, [...(byAddress.get(address) ?? []), warning]);
    }
    await this.outbox.enqueue(
      tx,
      [...byAddress].map(([address, theirs]) => this.mail(address, theirs)),
    );
    await appendAudit(
      tx,
      warnings.map(({ exception, days }) => ({
        at: now,
        actor: 'system:exceptions',
        action: 'exception.warned',
        subject: `exception:${exception.id}`,
        data: { daysAhead: days, expiresAt: new Date(exception.expiresAt).toISOString() },
      })),
    );
  }

  private mail(address: string, warnings: readonly Warning[]): OutboxMessage {
    const named = warnings.map(({ exception, days }) => `${exception.id}:${days}`);
    const digest = createHash('sha256')
      .update(JSON.stringify([address, named]))
      .digest('hex')
      .slice(0, 40);
    const [first] = warnings;
    const lines = warnings
      .slice(0, MOST_NAMED)
      .map(
        ({ exception: { kind, target, expiresAt, reason } }) =>
          `${dayOf(expiresAt)}: ${kind.replaceAll('_', ' ')}, ${targetWords(target)} (${reason})`,
      );
    const more = warnings.length - lines.length;
    const mail: MailPayload = {
      to: [address],
      messageId: `exceptions-${digest}`,
      ...rendered({
        key: digest,
        subject:
          warnings.length === 1 && first !== undefined
            ? `an exception ends on ${dayOf(first.exception.expiresAt)}`
            : `${warnings.length} exceptions end soon`,
        lines: [
          'What these answer for counts again when they end, and its objects are scanned again:',
          ...lines,
          ...(more > 0 ? [`and ${more} more.`] : []),
        ],
        remedy: `Remedy what was found, or ask to go on: sallyport exceptions list --state IN_FORCE, then extend (${publicUrl(this.config)}/api/v1/exceptions).`,
      }),
    };
    return { kind: 'mail', key: `exceptions:${digest}`, payload: { ...mail } };
  }
}
