import { Controller, Get, Param, Query, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { auditActor, CurrentPrincipal, Roles, type Principal } from '../../access/principal.js';
import { POPULATION_KINDS, type PopulationKind } from '../population/populations.js';
import { EvidenceService, FORMATS, type Format } from './evidence.service.js';

const DAY_MS = 86_400_000;
// A year and a day: also one that holds a leap day.
const MAX_DAYS = 367;

const moment = z.union(
  [
    z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
    z.iso.date().transform((text) => Date.parse(text)),
  ],
  'must be a time or a day, as in 2026-01-05T00:00:00Z or 2026-01-05',
);

interface Times {
  readonly from: number;
  readonly to: number;
}
const inOrder = ({ from, to }: Times): boolean => to > from;
const inAYear = ({ from, to }: Times): boolean => to - from <= MAX_DAYS * DAY_MS;
const ORDER = { path: ['to'], message: 'must come after `from`' };
const YEAR = { path: ['to'], message: 'must be a year after `from` at most; take the next year apart' };

const ExportQuery = z
  .object({ from: moment, to: moment, bom: z.enum(['true', 'false']).default('false') })
  .refine(inOrder, ORDER)
  .refine(inAYear, YEAR);

const SampleQuery = z
  .object({
    from: moment,
    to: moment,
    seed: z
      .string()
      .min(1)
      .max(200)
      .regex(/^[\x20-\x7e]+$/, 'must be printable ASCII, so that everybody writes it the same')
      .optional(),
    size: z.coerce.number().int().min(1).max(1000).optional(),
    by: z.enum(['outcome', 'queue']).optional(),
  })
  .refine(inOrder, ORDER)
  .refine(inAYear, YEAR);

const FileName = z
  .string()
  .regex(
    new RegExp(String.raw`^(?:${POPULATION_KINDS.join('|')})\.(?:${FORMATS.join('|')})$`),
    `must be one of ${POPULATION_KINDS.join(', ')}, with .csv or .jsonl`,
  );

const TYPES: Readonly<Record<Format, string>> = {
  csv: 'text/csv; charset=utf-8',
  jsonl: 'application/x-ndjson; charset=utf-8',
};

/** Evidence on demand: whole populations of a time, and samples of its decisions. Each is in the audit record. */
@ApiTags('evidence')
@Controller('api/v1/evidence')
@Roles('auditor')
export class EvidenceController {
  constructor(private readonly evidence: EvidenceService) {}

  /** Drawn by a seed, so that anybody draws it again. */
  @Get('decisions/sample')
  sample(
    @Query({ schema: SampleQuery }) { from, to, seed, size, by }: z.infer<typeof SampleQuery>,
    @CurrentPrincipal() principal: Principal,
  ) {
    return this.evidence.sample({ from, to }, { seed, size, by }, auditActor(principal));
  }

  /** `uploads.csv`, `decisions.jsonl` and so on: every row, in a fixed order, as it is now. */
  @Get(':file')
  async file(
    @Param('file', { schema: FileName }) file: string,
    @Query({ schema: ExportQuery }) { from, to, bom }: z.infer<typeof ExportQuery>,
    @CurrentPrincipal() principal: Principal,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const [kind, format] = file.split('.') as [PopulationKind, Format];
    const rows = await this.evidence.export(kind, format, { from, to }, auditActor(principal), {
      bom: bom === 'true',
    });
    await reply
      .type(TYPES[format])
      .header('content-disposition', `attachment; filename="${file}"`)
      .send(rows);
  }
}
