import { Readable } from 'node:stream';
import { Body, Controller, Get, HttpCode, Post, Query, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { auditActor, CurrentPrincipal, Roles, type Principal } from '../access/principal.js';
import { AuditService } from './audit.service.js';
import { Erasure } from './personal/erasure.js';
import { verifierText } from './export/verifier.js';

const VERIFIERS = ['auditor', 'operator'] as const;

const KnownHead = z
  .strictObject({
    seq: z.number().int().min(1),
    head: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits, as a checkpoint has them'),
  })
  .meta({ id: 'KnownHead' });
const VerifyAudit = z
  .strictObject({ known: z.array(KnownHead).max(100).default([]) })
  .meta({ id: 'VerifyAudit' });

const place = z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER);
const ExtractQuery = z
  .object({ from: place.default(1), to: place.optional() })
  .refine(({ from, to }) => to === undefined || to >= from, {
    path: ['to'],
    message: 'must not come before `from`',
  });

const storable = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine(
      (text) => !text.includes('\u0000') && text.isWellFormed(),
      'must not contain NUL or lone surrogates',
    );
const EraseAudit = z
  .strictObject({
    person: storable(400).regex(
      /^(?:user|apikey|mail|login|system|worker):./,
      'must be as an actor: user:ID',
    ),
    /** Stays in the record for good: it should name nobody. */
    reason: storable(1000).refine((text) => text.trim() !== '', 'must say why'),
  })
  .meta({ id: 'EraseAudit' });

const MAX_EVENT_ID = 2n ** 63n - 1n;
const isEventId = (text: string): boolean => /^\d{1,19}$/.test(text) && BigInt(text) <= MAX_EVENT_ID;

const moment = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const ListQuery = z.object({
  from: moment.optional(),
  to: moment.optional(),
  actor: storable(300).optional(),
  action: storable(100).optional(),
  subject: storable(1500).optional(),
  cursor: z.string().refine(isEventId, 'must be what `nextCursor` of the page before says').optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});

/** The audit record: what was done, by whom, and whether it still says so. */
@ApiTags('audit')
@Controller('api/v1/audit')
export class AuditController {
  constructor(
    private readonly audit: AuditService,
    private readonly erasure: Erasure,
  ) {}

  /** Events, the newest first. */
  @Get()
  @Roles('auditor')
  list(@Query({ schema: ListQuery }) query: z.infer<typeof ListQuery>) {
    return this.audit.list(query);
  }

  /** How far the record is chained, signed and kept elsewhere. */
  @Get('chain')
  @Roles(...VERIFIERS)
  chain() {
    return this.audit.chain();
  }

  /** Lines of JSON that `verify.mjs` verifies: a part of the chain, by places. Up to its end where no end is said. */
  @Get('extract')
  @Roles('auditor')
  async extract(
    @Query({ schema: ExtractQuery }) { from, to }: z.infer<typeof ExtractQuery>,
    @CurrentPrincipal() principal: Principal,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const lines = await this.audit.extract({ from, to }, auditActor(principal));
    await reply
      .type('application/x-ndjson; charset=utf-8')
      .header('content-disposition', 'attachment; filename="audit.jsonl"')
      .send(Readable.from(lines));
  }

  /** The program that verifies an extract: Node 20 and nothing else. */
  @Get('verifier')
  @Roles(...VERIFIERS)
  async verifier(@Res() reply: FastifyReply): Promise<void> {
    await reply
      .type('text/javascript; charset=utf-8')
      .header('content-disposition', 'attachment; filename="verify.mjs"')
      .send(verifierText());
  }

  /** Follows the whole chain; `known` are heads of checkpoints that somebody kept elsewhere. */
  @Post('verify')
  @HttpCode(200)
  @Roles(...VERIFIERS)
  verify(
    @Body({ schema: VerifyAudit }) { known }: z.infer<typeof VerifyAudit>,
    @CurrentPrincipal() principal: Principal,
  ) {
    return this.audit.verify(known, auditActor(principal));
  }

  /** Erases what events say of a person beside their ids. The events stay, and the chain stays whole; it cannot be undone. */
  @Post('erase')
  @HttpCode(200)
  @Roles('admin')
  async erase(
    @Body({ schema: EraseAudit }) { person, reason }: z.infer<typeof EraseAudit>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<{ readonly person: string; readonly erased: number }> {
    return { person, erased: await this.erasure.erase(person, reason.trim(), auditActor(principal)) };
  }
}
