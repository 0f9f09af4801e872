import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { auditActor, CurrentPrincipal, Roles, type Principal } from '../access/principal.js';
import { AuditService } from './audit.service.js';

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

const moment = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const ListQuery = z.object({
  from: moment.optional(),
  to: moment.optional(),
  actor: z.string().min(1).max(300).optional(),
  action: z.string().min(1).max(100).optional(),
  subject: z.string().min(1).max(1500).optional(),
  cursor: z
    .string()
    .regex(/^\d{1,19}$/, 'must be what `nextCursor` of the page before says')
    .optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});

/** The audit record: what was done, by whom, and whether it still says so. */
@ApiTags('audit')
@Controller('api/v1/audit')
export class AuditController {
  constructor(private readonly audit: AuditService) {}

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
}
