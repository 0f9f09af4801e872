import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { ReadsFindings } from '../../access/findings-read.js';
import { auditActor, CurrentPrincipal, READERS, Roles, type Principal } from '../../access/principal.js';
import { decodeCursor, encodeCursor, isUuid } from '../../cursor.js';
import { isoOf, maybeIso } from '../../verdicts/object-view.js';
import { EXCEPTION_KINDS, EXCEPTION_SCOPES, EXCEPTION_STATES, type Exception } from './exception.js';
import { Exceptions, type Acting } from './exceptions.service.js';
import { targetWords } from './wording.js';

const storable = (max: number) =>
  z
    .string()
    .max(max)
    .refine((value) => !value.includes('\u0000') && value.isWellFormed(), 'must not contain NUL');
const Reason = storable(1000).refine((value) => value.trim() !== '', 'must say why');
const ExceptionId = z.guid('must be the id of an exception');
const End = z.iso
  .datetime({ offset: true, error: 'must be a time, as in 2027-01-31T00:00:00Z' })
  .transform((value) => Date.parse(value));

const wanted = {
  scope: z.enum(EXCEPTION_SCOPES),
  /** Of `GET /api/v1/findings`; not needed for the scope rule. */
  findingId: z
    .string()
    .regex(/^\d{1,18}$/, 'must be the id of a finding')
    .optional(),
  ruleId: storable(300).min(1).optional(),
  findingKind: z.enum(['secret', 'malware']).optional(),
  bucket: storable(255)
    .regex(/^[\w.-]+$/, 'must be the name of a bucket')
    .optional(),
  keyPrefix: storable(1024).optional(),
};
const PreviewExceptionBody = z.strictObject(wanted).meta({ id: 'PreviewException' });
const NewException = z
  .strictObject({ ...wanted, kind: z.enum(EXCEPTION_KINDS), reason: Reason, expiresAt: End })
  .meta({ id: 'NewException' });
const Extension = z.strictObject({ reason: Reason, expiresAt: End }).meta({ id: 'ExceptionExtension' });
const Withdrawal = z.strictObject({ reason: Reason }).meta({ id: 'ExceptionWithdrawal' });

const Person = z.object({ id: z.string(), name: z.string() });
const ExceptionView = z
  .object({
    id: z.uuid(),
    kind: z.enum(EXCEPTION_KINDS),
    scope: z.enum(EXCEPTION_SCOPES),
    state: z.enum(EXCEPTION_STATES),
    /** What it answers for, in words. */
    target: z.string(),
    findingKind: z.enum(['secret', 'malware']),
    ruleId: z.string(),
    fingerprint: z.string().nullable(),
    bucket: z.string().nullable(),
    key: z.string().nullable(),
    path: z.string().nullable(),
    keyPrefix: z.string().nullable(),
    reason: z.string(),
    requestedBy: Person,
    requestedAt: z.iso.datetime(),
    decidedBy: Person.nullable(),
    decidedAt: z.iso.datetime().nullable(),
    decisionReason: z.string().nullable(),
    expiresAt: z.iso.datetime(),
    endedBy: z.string().nullable(),
    endedAt: z.iso.datetime().nullable(),
    endReason: z.string().nullable(),
    reviewId: z.string().nullable(),
    workflowId: z.string(),
    extends: z.uuid().nullable(),
  })
  .meta({ id: 'Exception' });
type ExceptionView = z.infer<typeof ExceptionView>;

const ExceptionPage = z
  .object({ items: z.array(ExceptionView), nextCursor: z.string().optional() })
  .meta({ id: 'ExceptionPage' });

const PreviewView = z
  .object({
    findings: z.number(),
    objects: z.number(),
    /** There are more of its fingerprint or rule than are looked at. */
    isCut: z.boolean(),
    /** The worst first. */
    sample: z.array(
      z.object({
        id: z.string(),
        objectId: z.uuid(),
        bucket: z.string(),
        key: z.string(),
        path: z.string(),
        line: z.number().nullable(),
        ruleId: z.string(),
        severity: z.string(),
        confidence: z.string(),
        excerpt: z.string().nullable(),
        accepted: z.boolean(),
      }),
    ),
  })
  .meta({ id: 'ExceptionPreview' });

const ListQuery = z.object({
  state: z
    .string()
    .transform((value) => value.split(','))
    .pipe(z.array(z.enum(EXCEPTION_STATES)).max(EXCEPTION_STATES.length))
    .optional(),
  ruleId: storable(300).optional(),
  fingerprint: storable(300).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor: z.string().max(1000).optional(),
});

/** What two people agree on about findings: suppressed, no danger, or a risk that is borne for a time. */
@ApiTags('findings')
@Controller('api/v1/exceptions')
@Roles('analyst', 'author')
export class ExceptionsController {
  constructor(private readonly exceptions: Exceptions) {}

  @Get()
  @Roles(...READERS, 'approver')
  @ApiOkResponse({ standardSchema: ExceptionPage })
  async list(@Query({ schema: ListQuery }) query: z.infer<typeof ListQuery>) {
    const { limit, cursor, state: states, ruleId, fingerprint } = query;
    const after = cursor === undefined ? undefined : decodeCursor(cursor, isUuid);
    // One more than asked tells whether there is a next page.
    const found = await this.exceptions.list({ states, ruleId, fingerprint }, { after, limit: limit + 1 });
    const shown = found.slice(0, limit);
    const last = shown.at(-1);
    return {
      items: shown.map(viewOf),
      ...(found.length > limit &&
        last && { nextCursor: encodeCursor({ at: last.requestedAt, id: last.id }) }),
    };
  }

  @Get(':id')
  @Roles(...READERS, 'approver')
  @ApiOkResponse({ standardSchema: ExceptionView })
  async get(@Param('id', { schema: ExceptionId }) id: string): Promise<ExceptionView> {
    return viewOf(await this.exceptions.get(id));
  }

  /** What such an exception would answer for now; nothing is asked for. */
  @Post('preview')
  @HttpCode(200)
  @ReadsFindings('findings:preview')
  @ApiOkResponse({ standardSchema: PreviewView })
  preview(@Body({ schema: PreviewExceptionBody }) body: z.infer<typeof PreviewExceptionBody>) {
    return this.exceptions.preview(body);
  }

  /** Asks for one; a review in the queue `exceptions` asks somebody else. */
  @Post()
  @ApiCreatedResponse({ standardSchema: ExceptionView })
  async request(
    @Body({ schema: NewException }) { kind, reason, expiresAt, ...rest }: z.infer<typeof NewException>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ExceptionView> {
    return viewOf(
      await this.exceptions.request({ kind, reason, expiresAt, wanted: rest }, actingOf(principal)),
    );
  }

  /** Asks to go on with one that is in force; somebody else must agree again. */
  @Post(':id/extend')
  @ApiCreatedResponse({ standardSchema: ExceptionView })
  async extend(
    @Param('id', { schema: ExceptionId }) id: string,
    @Body({ schema: Extension }) body: z.infer<typeof Extension>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ExceptionView> {
    return viewOf(await this.exceptions.extend(id, body, actingOf(principal)));
  }

  /** Ends it, or takes the request back; what it answered for is scanned again. */
  @Post(':id/withdraw')
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: ExceptionView })
  async withdraw(
    @Param('id', { schema: ExceptionId }) id: string,
    @Body({ schema: Withdrawal }) { reason }: z.infer<typeof Withdrawal>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ExceptionView> {
    return viewOf(await this.exceptions.withdraw(id, reason, actingOf(principal)));
  }
}

export const actingOf = (principal: Principal): Acting => ({
  id: principal.id,
  name: principal.name,
  actor: auditActor(principal),
});

const viewOf = (exception: Exception): ExceptionView => {
  const { target, decided, ended } = exception;
  return {
    id: exception.id,
    kind: exception.kind,
    scope: target.scope,
    state: exception.state,
    target: targetWords(target),
    findingKind: target.findingKind,
    ruleId: target.ruleId,
    fingerprint: target.fingerprint ?? null,
    bucket: target.bucket ?? null,
    key: target.key ?? null,
    path: target.memberPath ?? null,
    keyPrefix: target.keyPrefix ?? null,
    reason: exception.reason,
    requestedBy: { ...exception.requestedBy },
    requestedAt: isoOf(exception.requestedAt),
    decidedBy: decided === undefined ? null : { ...decided.by },
    decidedAt: maybeIso(decided?.at ?? null),
    decisionReason: decided?.reason ?? null,
    expiresAt: isoOf(exception.expiresAt),
    endedBy: ended?.by ?? null,
    endedAt: maybeIso(ended?.at ?? null),
    endReason: ended?.reason ?? null,
    reviewId: exception.reviewId ?? null,
    workflowId: exception.id,
    extends: exception.extends ?? null,
  };
};
