import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  Param,
  Patch,
  Post,
  Query,
  Res,
} from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import {
  auditActor,
  CurrentPrincipal,
  OrOwner,
  VIEWERS,
  Roles,
  type Principal,
} from '../../access/principal.js';
import { decodeCursor, encodeCursor, isText } from '../../cursor.js';
import { BucketLook } from './bucket-look.js';
import { BucketPage, BucketPatch, BucketView, ChangedBucket, NewBucket } from './bucket-view.js';
import { BucketsService } from './buckets.service.js';
import { changedBucket } from './owned-bucket.js';
import { expectedVersion, tagged } from './expected-version.js';

const ListQuery = z.object({
  endpointId: z.string().max(63).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor: z.string().max(500).optional(),
});
const VersionQuery = z.object({ version: z.coerce.number().int().min(1).optional() });

/** The buckets whose uploads are scanned. */
@ApiTags('buckets')
@Controller('api/v1/buckets')
export class BucketsController {
  constructor(
    private readonly buckets: BucketsService,
    private readonly look: BucketLook,
  ) {}

  @Get()
  @Roles(...VIEWERS)
  @ApiOkResponse({ standardSchema: BucketPage })
  list(@Query({ schema: ListQuery }) query: z.infer<typeof ListQuery>): BucketPage {
    const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor, isText).id;
    const all = this.buckets
      .list()
      .filter(({ endpointId }) => query.endpointId === undefined || endpointId === query.endpointId)
      .toSorted((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
    const start = after === undefined ? 0 : all.findIndex((bucket) => placeOf(bucket) > after);
    const items = start < 0 ? [] : all.slice(start, start + query.limit);
    const last = items.at(-1);
    const more = last !== undefined && start + items.length < all.length;
    return { items, ...(more && { nextCursor: encodeCursor({ at: 0, id: placeOf(last) }) }) };
  }

  @Get(':endpointId/:bucket')
  @Roles(...VIEWERS)
  @ApiOkResponse({ standardSchema: BucketView })
  one(
    @Param('endpointId') endpointId: string,
    @Param('bucket') bucket: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): BucketView {
    return tagged(reply, this.buckets.get(endpointId, bucket));
  }

  @Post()
  @Roles('operator')
  @ApiCreatedResponse({ standardSchema: ChangedBucket })
  async register(
    @Body({ schema: NewBucket }) body: NewBucket,
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ChangedBucket> {
    const made = await this.buckets.register(body, auditActor(principal));
    return tagged(reply, await this.look.at(made, [made.bucket, made.quarantineBucket]));
  }

  @Patch(':endpointId/:bucket')
  @Roles('author', 'operator')
  @OrOwner(changedBucket)
  @ApiOkResponse({ standardSchema: ChangedBucket })
  async change(
    @Param('endpointId') endpointId: string,
    @Param('bucket') bucket: string,
    @Body({ schema: BucketPatch }) { version, ...wanted }: BucketPatch,
    @Headers('if-match') ifMatch: string | undefined,
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ChangedBucket> {
    const expected = expectedVersion(ifMatch, version);
    const changed = await this.buckets.change(
      endpointId,
      bucket,
      { expected, wanted },
      auditActor(principal),
    );
    return tagged(reply, await this.look.at(changed, [wanted.quarantineBucket]));
  }

  @Delete(':endpointId/:bucket')
  @Roles('operator')
  @HttpCode(204)
  async remove(
    @Param('endpointId') endpointId: string,
    @Param('bucket') bucket: string,
    @Query({ schema: VersionQuery }) { version }: z.infer<typeof VersionQuery>,
    @Headers('if-match') ifMatch: string | undefined,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    const expected = expectedVersion(ifMatch, version);
    await this.buckets.remove(endpointId, bucket, expected, auditActor(principal));
  }
}

/** The list's order. A slash is in no endpoint's id and in no bucket's name. */
const placeOf = ({ endpointId, bucket }: BucketView): string => `${endpointId}/${bucket}`;
