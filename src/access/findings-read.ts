import {
  Injectable,
  SetMetadata,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { LRUCache } from 'lru-cache';
import { mergeMap, type Observable } from 'rxjs';
import { insertAudit } from '../audit/audit.js';
import { Clock, type Instant } from '../clock.js';
import { Database } from '../database/database.js';
import type { Queryable } from '../database/queryable.js';
import { auditActor, type Principal } from './principal.js';

const READS_FINDINGS = 'sallyport:reads-findings';
const HOUR_MS = 3_600_000;
// Of this process: what another one noted costs one statement more.
const MAX_REMEMBERED = 10_000;

/** The route's answer holds findings of `what:<id>` (of `what` alone for a route without an id): told to the audit. */
export const ReadsFindings = (what: 'object' | 'review' | 'findings:export' | 'findings:preview') =>
  SetMetadata(READS_FINDINGS, what);

const NOTE = `
  WITH old AS (DELETE FROM findings_read WHERE hour < $5),
  fresh AS (
    INSERT INTO findings_read (actor, subject, hour) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
    RETURNING actor, subject)
  ${insertAudit({ at: '$4::bigint', actor: 'actor', action: `'findings.read'`, subject: 'subject', data: `'{}'::json`, from: 'fresh' })}`;

/** Tells the audit that somebody was shown findings, otherwise than over a route; again within the hour it is one event. */
export function noteFindingsRead(
  db: Queryable,
  { actor, subject, now }: { readonly actor: string; readonly subject: string; readonly now: Instant },
): Promise<unknown> {
  const hour = Math.floor(now / HOUR_MS);
  return db.query(NOTE, [actor, subject, hour, now, hour - 1]);
}

/** Who has seen what was found: one event for each person, subject and hour, so that the record stays readable. */
@Injectable()
export class FindingsRead implements NestInterceptor {
  private readonly noted = new LRUCache<string, true>({ max: MAX_REMEMBERED });

  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly reflector: Reflector,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const what = this.reflector.get<string | undefined>(READS_FINDINGS, context.getHandler());
    if (what === undefined) return next.handle();
    const { principal, params } = context
      .switchToHttp()
      .getRequest<{ principal: Principal; params: { id?: string } }>();
    const subject = params.id === undefined ? what : `${what}:${params.id.toLowerCase()}`;
    // After the handler has found it, and before anybody sees the answer.
    return next.handle().pipe(
      mergeMap(async (answer: unknown) => {
        await this.note(auditActor(principal), subject);
        return answer;
      }),
    );
  }

  private async note(actor: string, subject: string): Promise<void> {
    const now = Math.round(this.clock.now());
    const hour = Math.floor(now / HOUR_MS);
    const key = `${hour} ${actor} ${subject}`;
    if (this.noted.has(key)) return;
    await noteFindingsRead(this.db, { actor, subject, now });
    this.noted.set(key, true);
  }
}
