import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { z } from 'zod';
import { ReadsFindings } from '../access/findings-read.js';
import { READERS, Roles, VIEWERS } from '../access/principal.js';
import { decodeCursor, encodeCursor, isUuid } from '../cursor.js';
import { Database } from '../database/database.js';
import { ObjectStories, ObjectStory } from './object-story.js';
import { ObjectPage, ObjectSummary, objectView } from './object-view.js';
import { instant, storable, verdicts } from './object-query.js';
import { countReleased, countVerdicts, listObjects, type ObjectFilter } from './sql/list-objects.js';

const Filter = z.object({
  bucket: storable(255),
  key: storable(1024),
  prefix: storable(1024),
  verdict: verdicts,
  from: instant,
  to: instant,
});

const ListQuery = Filter.extend({
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: storable(200),
});
type Filter = z.infer<typeof Filter>;
type ListQuery = z.infer<typeof ListQuery>;

const ObjectId = z.guid('must be a UUID');

/** The ledger, read. */
@Controller('api/v1/objects')
@Roles(...VIEWERS)
export class ObjectsController {
  constructor(
    private readonly database: Database,
    private readonly stories: ObjectStories,
  ) {}

  @Get()
  @ApiOkResponse({ standardSchema: ObjectPage })
  async list(@Query({ schema: ListQuery }) query: ListQuery): Promise<ObjectPage> {
    const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor, isUuid);
    // One more than asked tells whether there is a next page.
    const rows = await listObjects(this.database, filterOf(query), { after, limit: query.limit + 1 });
    const shown = rows.slice(0, query.limit);
    const last = shown.at(-1);
    const more = rows.length > query.limit && last !== undefined;
    return {
      items: shown.map(objectView),
      ...(more && { nextCursor: encodeCursor({ at: last.first_seen_at, id: last.id }) }),
    };
  }

  @Get('summary')
  @ApiOkResponse({ standardSchema: ObjectSummary })
  async summary(@Query({ schema: Filter }) query: Filter): Promise<ObjectSummary> {
    const filter = filterOf(query);
    const [rows, released] = await Promise.all([
      countVerdicts(this.database, filter),
      countReleased(this.database, filter),
    ]);
    const counts = Object.fromEntries(rows.map((row) => [row.verdict, row.count]));
    return { total: rows.reduce((sum, row) => sum + row.count, 0), counts, released };
  }

  @Get(':id')
  @ReadsFindings('object')
  @Roles(...READERS)
  @ApiOkResponse({ standardSchema: ObjectStory })
  one(@Param('id', { schema: ObjectId }) id: string): Promise<ObjectStory> {
    return this.stories.tell(id);
  }
}

const filterOf = ({ bucket, key, prefix, verdict, from, to }: Filter): ObjectFilter => ({
  bucket,
  key,
  prefix,
  verdicts: verdict,
  from,
  to,
});
