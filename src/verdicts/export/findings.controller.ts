import { Controller, Get, Param, Query, Res } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { ReadsFindings } from '../../access/findings-read.js';
import { READERS, Roles } from '../../access/principal.js';
import { decodeCursor, encodeCursor } from '../../cursor.js';
import { Database } from '../../database/database.js';
import { NotFound } from '../../errors.js';
import { VERSION } from '../../ops/version.js';
import { instant, storable, verdicts } from '../object-query.js';
import { FindingsPage, findingView } from './finding-view.js';
import { sarifOf, type SarifLog } from './sarif.js';
import { countFindings, pageFindings, type FindingFilter } from './sql/page-findings.js';

const PageQuery = z.object({
  format: z.enum(['json', 'sarif']).default('json'),
  /** Findings that a page looks at; it holds those of them that fit. */
  limit: z.coerce.number().int().min(1).max(5000).default(1000),
  cursor: z.string().max(200).optional(),
});
type PageQuery = z.infer<typeof PageQuery>;

const ListQuery = PageQuery.extend({
  bucket: storable(255),
  prefix: storable(1024),
  verdict: verdicts,
  kind: z.enum(['secret', 'malware']).optional(),
  from: instant,
  to: instant,
});

const ObjectId = z.guid('must be a UUID');

/** What was found in all objects, for other tools. */
@ApiTags('findings')
@Controller('api/v1/findings')
@Roles(...READERS)
export class FindingsController {
  constructor(private readonly database: Database) {}

  /** JSON, or SARIF 2.1.0 where `format=sarif`; its `nextCursor` is a property of the run. */
  @Get()
  @ReadsFindings('findings:export')
  @ApiOkResponse({ standardSchema: FindingsPage })
  async list(
    @Query({ schema: ListQuery }) query: z.infer<typeof ListQuery>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<FindingsPage | SarifLog> {
    const { bucket, prefix, verdict, kind, from, to } = query;
    const filter = { bucket, prefix, verdicts: verdict, kind, from, to };
    return answer(reply, query.format, await page(this.database, filter, query));
  }
}

/** What was found in one object, by the scan that it is judged by. */
@ApiTags('findings')
@Controller('api/v1/objects/:id/findings')
@Roles(...READERS)
export class ObjectFindingsController {
  constructor(private readonly database: Database) {}

  @Get()
  @ReadsFindings('object')
  @ApiOkResponse({ standardSchema: FindingsPage })
  async list(
    @Param('id', { schema: ObjectId }) id: string,
    @Query({ schema: PageQuery }) query: PageQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<FindingsPage | SarifLog> {
    const total = await countFindings(this.database, id);
    if (total === undefined) throw new NotFound(`No object ${id} in the ledger. Check the id.`);
    const found = await page(this.database, { objectId: id }, query);
    return answer(reply, query.format, { ...found, total });
  }
}

async function page(
  database: Database,
  filter: FindingFilter,
  { limit, cursor }: Pick<PageQuery, 'limit' | 'cursor'>,
): Promise<FindingsPage> {
  const after = cursor === undefined ? undefined : decodeCursor(cursor, isFindingId).id;
  const { rows, last } = await pageFindings(database, filter, { after, walk: limit });
  return {
    items: rows.map(findingView),
    ...(last !== undefined && { nextCursor: encodeCursor({ at: 0, id: last }) }),
  };
}

const isFindingId = (id: string): boolean => /^\d{1,18}$/.test(id);

function answer(
  reply: FastifyReply,
  format: PageQuery['format'],
  found: FindingsPage,
): FindingsPage | SarifLog {
  if (format === 'json') return found;
  void reply.type('application/sarif+json; charset=utf-8');
  return sarifOf(found, VERSION);
}
