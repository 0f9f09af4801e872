import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { actorOf, CurrentPrincipal, READERS, Roles, type Principal } from '../access/principal.js';
import { decodeCursor, encodeCursor, isUuid } from '../cursor.js';
import { ReportsService } from './reports.service.js';

const moment = z.union(
  [
    z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
    z.iso.date().transform((text) => ({ day: Date.parse(text) })),
  ],
  'must be a time or a day, as in 2026-01-05T00:00:00Z or 2026-01-05',
);

const ReportRequest = z
  .object({ kind: z.literal('weekly'), from: moment.optional(), to: moment.optional() })
  .meta({ id: 'ReportRequest' });
const ListQuery = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(200).optional(),
});
const ReportId = z.uuid('is not the id of a report');

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
    return this.reports.request({ from: body.from, to: body.to }, actorOf(principal));
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

  @Get(':id')
  get(@Param('id', { schema: ReportId }) id: string) {
    return this.reports.get(id);
  }

  @Get(':id/json')
  async json(@Param('id', { schema: ReportId }) id: string, @Res() reply: FastifyReply): Promise<void> {
    await reply.type('application/json; charset=utf-8').send(await this.reports.file(id, 'json'));
  }

  @Get(':id/html')
  async html(@Param('id', { schema: ReportId }) id: string, @Res() reply: FastifyReply): Promise<void> {
    // The page has its style inside and nothing else that could load or run.
    await reply
      .type('text/html; charset=utf-8')
      .header(
        'content-security-policy',
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
      )
      .send(await this.reports.file(id, 'html'));
  }
}
