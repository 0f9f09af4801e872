import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import {
  actorOf,
  auditActor,
  CurrentPrincipal,
  READERS,
  Roles,
  type Principal,
} from '../access/principal.js';
import { decodeCursor, encodeCursor, isUuid } from '../cursor.js';
import { REPORT_KINDS } from './data/report-data.js';
import { ReportsService } from './reports.service.js';

const moment = z.union(
  [
    z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
    z.iso.date().transform((text) => ({ day: Date.parse(text) })),
  ],
  'must be a time or a day, as in 2026-01-05T00:00:00Z or 2026-01-05',
);

const ReportRequest = z
  .object({ kind: z.enum(REPORT_KINDS), from: moment.optional(), to: moment.optional() })
  .meta({ id: 'ReportRequest' });
const ListQuery = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(200).optional(),
});
const ReportId = z.uuid('is not the id of a report');

/** What every reader may ask of a report by a short word: its files. */
const FILES = {
  json: 'report.json',
  html: 'report.html',
  pdf: 'report.pdf',
} as const;
const FileWord = z.enum(
  Object.keys(FILES) as [keyof typeof FILES, ...(keyof typeof FILES)[]],
  `must be one of ${[...Object.keys(FILES), 'bundle'].join(', ')}`,
);
const nameOf = (label: string): string => `audit-report-${label.replaceAll(' ', '-')}`;

/** Reports: ask for one, list them, read the files. */
@ApiTags('reports')
@Controller('api/v1/reports')
@Roles(...READERS)
export class ReportsController {
  constructor(private readonly reports: ReportsService) {}

  @Post()
  @HttpCode(202)
  request(
    @Body({ schema: ReportRequest }) body: z.infer<typeof ReportRequest>,
    @CurrentPrincipal() principal: Principal,
  ) {
    return this.reports.request({ kind: body.kind, from: body.from, to: body.to }, actorOf(principal));
  }

  @Get()
  async list(@Query({ schema: ListQuery }) query: z.infer<typeof ListQuery>) {
    const items = await this.reports.list(
      query.limit,
      query.cursor === undefined ? undefined : decodeCursor(query.cursor, isUuid),
    );
    const last = items.at(-1);
    return items.length < query.limit || last === undefined
      ? { items }
      : { items, nextCursor: encodeCursor({ at: Date.parse(last.createdAt), id: last.id }) };
  }

  /** With its files, whom it was mailed to, and whether somebody read it. */
  @Get(':id')
  get(@Param('id', { schema: ReportId }) id: string) {
    return this.reports.detail(id);
  }

  /**
   * All of the report as one signed archive. It holds whole populations and a part of the audit record, which are the
   * auditor's alone elsewhere, too; that somebody took it is in the audit record.
   */
  @Get(':id/bundle')
  @Roles('auditor')
  async bundle(
    @Param('id', { schema: ReportId }) id: string,
    @CurrentPrincipal() principal: Principal,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { label } = await this.reports.get(id);
    const { mediaType, bytes, pieces } = await this.reports.bundle(id, auditActor(principal));
    await reply
      .type(mediaType)
      .header('content-length', bytes)
      .header('content-disposition', `attachment; filename="${nameOf(label)}.zip"`)
      .send(Readable.from(pieces));
  }

  /** A file of the report as it was made: its data or its pages. */
  @Get(':id/:file')
  async file(
    @Param('id', { schema: ReportId }) id: string,
    @Param('file', { schema: FileWord }) word: z.infer<typeof FileWord>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { mediaType, bytes, pieces } = await this.reports.file(id, FILES[word]);
    const { label } = await this.reports.get(id);
    reply.type(mediaType).header('content-length', bytes);
    // The page has its style inside and nothing else that could load or run.
    if (word === 'html')
      reply.header(
        'content-security-policy',
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'",
      );
    if (word === 'pdf') reply.header('content-disposition', `inline; filename="${nameOf(label)}.pdf"`);
    await reply.send(Readable.from(pieces));
  }
}
