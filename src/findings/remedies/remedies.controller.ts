import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { CurrentPrincipal, READERS, Roles, type Principal } from '../../access/principal.js';
import { decodeCursor, encodeCursor, isUuid } from '../../cursor.js';
import { InvalidInput } from '../../errors.js';
import { isoOf, maybeIso } from '../../verdicts/object-view.js';
import { actingOf } from '../exceptions/exceptions.controller.js';
import { PROOFS, REMEDY_STATES, type Remedy } from './remedy.js';
import { Remedies } from './remedies.service.js';

const Party = z
  .string()
  .max(250)
  .regex(/^(user|group):[^\u0000]+$/, 'must be user:LOGIN or group:NAME');
const Parties = z.array(Party).max(20).default([]);

const NewFindingReview = z
  .strictObject({
    /** Of `GET /api/v1/findings`. */
    findingId: z.string().regex(/^\d{1,18}$/, 'must be the id of a finding'),
    /** Who remedies it when it is real; whoever may decide when nobody is named. */
    owner: Parties,
    /** REMEDY_DAYS when left out. */
    dueDays: z.int().min(1).max(365).optional(),
    /** Who is asked as well when it is overdue. */
    escalateTo: Parties,
  })
  .meta({ id: 'NewFindingReview' });
const FindingReviewStarted = z.object({ workflowId: z.string() }).meta({ id: 'FindingReviewStarted' });

const RemedyView = z
  .object({
    id: z.uuid(),
    state: z.enum(REMEDY_STATES),
    findingKind: z.enum(['secret', 'malware']),
    findingTitle: z.string(),
    ruleId: z.string(),
    fingerprint: z.string(),
    bucket: z.string(),
    key: z.string(),
    path: z.string(),
    scanId: z.uuid(),
    owner: z.array(z.string()),
    openedAt: z.iso.datetime(),
    dueAt: z.iso.datetime(),
    proof: z.enum(PROOFS).nullable(),
    proofNote: z.string().nullable(),
    remediedAt: z.iso.datetime().nullable(),
    remediedBy: z.string().nullable(),
    /** Why the last answer was no proof. */
    refused: z.string().nullable(),
    /** A later scan found the same again. */
    returnedAt: z.iso.datetime().nullable(),
    /** The one whose finding came back. */
    follows: z.uuid().nullable(),
    workflowId: z.string(),
  })
  .meta({ id: 'Remedy' });
type RemedyView = z.infer<typeof RemedyView>;
const RemedyPage = z
  .object({ items: z.array(RemedyView), nextCursor: z.string().optional() })
  .meta({ id: 'RemedyPage' });

const RemedyFiguresView = z
  .object({
    from: z.iso.datetime(),
    to: z.iso.datetime(),
    owners: z.array(
      z.object({
        owner: z.string(),
        open: z.number(),
        overdue: z.number(),
        remedied: z.number(),
        returned: z.number(),
        p50Seconds: z.number().nullable(),
        p90Seconds: z.number().nullable(),
      }),
    ),
  })
  .meta({ id: 'RemedyFigures' });

const ListQuery = z.object({
  state: z
    .string()
    .transform((value) => value.split(','))
    .pipe(z.array(z.enum(REMEDY_STATES)).max(REMEDY_STATES.length))
    .optional(),
  overdue: z.enum(['true', 'false']).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor: z.string().max(1000).optional(),
});
const time = z.iso.datetime({ offset: true }).transform((value) => Date.parse(value));
const FiguresQuery = z.object({ from: time, to: time });

/** Findings that are real, and what became of them. */
@ApiTags('findings')
@Controller('api/v1/remedies')
@Roles(...READERS, 'approver')
export class RemediesController {
  constructor(private readonly remedies: Remedies) {}

  @Get()
  @ApiOkResponse({ standardSchema: RemedyPage })
  async list(@Query({ schema: ListQuery }) query: z.infer<typeof ListQuery>) {
    const { limit, cursor, state: states, overdue } = query;
    const after = cursor === undefined ? undefined : decodeCursor(cursor, isUuid);
    // One more than asked tells whether there is a next page.
    const found = await this.remedies.list(
      { states, isOverdue: overdue === 'true' },
      { after, limit: limit + 1 },
    );
    const shown = found.slice(0, limit);
    const last = shown.at(-1);
    return {
      items: shown.map(viewOf),
      ...(found.length > limit && last && { nextCursor: encodeCursor({ at: last.openedAt, id: last.id }) }),
    };
  }

  /** How long remedies take, by owner: what is open now, and what was remedied in [from, to). */
  @Get('figures')
  @ApiOkResponse({ standardSchema: RemedyFiguresView })
  async figures(@Query({ schema: FiguresQuery }) { from, to }: z.infer<typeof FiguresQuery>) {
    if (to <= from) throw InvalidInput.field('to', 'must be later than from');
    return { from: isoOf(from), to: isoOf(to), owners: await this.remedies.figures(from, to) };
  }

  @Get(':id')
  @ApiOkResponse({ standardSchema: RemedyView })
  async get(@Param('id', { schema: z.guid('must be the id of a remedy') }) id: string): Promise<RemedyView> {
    return viewOf(await this.remedies.get(id));
  }

  /** Asks whether a finding is real; one that is, is followed until it is remedied. */
  @Post()
  @HttpCode(202)
  @Roles('analyst', 'author')
  @ApiAcceptedResponse({ standardSchema: FindingReviewStarted })
  async review(
    @Body({ schema: NewFindingReview }) { findingId, ...wanted }: z.infer<typeof NewFindingReview>,
    @CurrentPrincipal() principal: Principal,
  ) {
    return { workflowId: await this.remedies.review(findingId, wanted, actingOf(principal)) };
  }
}

const viewOf = (remedy: Remedy): RemedyView => ({
  id: remedy.id,
  state: remedy.state,
  findingKind: remedy.findingKind,
  findingTitle: remedy.findingTitle,
  ruleId: remedy.ruleId,
  fingerprint: remedy.fingerprint,
  bucket: remedy.bucket,
  key: remedy.key,
  path: remedy.memberPath,
  scanId: remedy.scanId,
  owner: [...remedy.owner],
  openedAt: isoOf(remedy.openedAt),
  dueAt: isoOf(remedy.dueAt),
  proof: remedy.proof,
  proofNote: remedy.proofNote,
  remediedAt: maybeIso(remedy.remediedAt),
  remediedBy: remedy.remediedByName,
  refused: remedy.refused,
  returnedAt: maybeIso(remedy.returnedAt),
  follows: remedy.follows,
  workflowId: remedy.id,
});
