import { Controller, Delete, Get, HttpCode, Param } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { auditActor, CurrentPrincipal, Roles, type Principal } from '../../../../access/principal.js';
import { appendAudit } from '../../../../audit/audit.js';
import { Clock } from '../../../../clock.js';
import { Database } from '../../../../database/database.js';
import { NotFound } from '../../../../errors.js';
import { text } from '../../../request-fields.js';
import { mailSuspensions, resumeAddress } from '../../../sql/mail-suspensions.js';

const Suspensions = z
  .object({
    items: z.array(
      z.object({
        email: z.string(),
        person: z.object({ id: z.string(), name: z.string() }),
        since: z.iso.datetime(),
        /** Of RFC 3463, as 5.1.1. */
        status: z.string(),
      }),
    ),
  })
  .meta({ id: 'MailSuspensions' });

const Address = text(320);

/** Addresses that took no mail and get none until somebody says otherwise. */
@ApiTags('reviews')
@Controller('api/v1/mail/suspensions')
export class MailSuspensionsController {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
  ) {}

  /** The newest first, a thousand at most. */
  @Get()
  @Roles('operator', 'auditor')
  @ApiOkResponse({ standardSchema: Suspensions })
  async list(): Promise<z.infer<typeof Suspensions>> {
    const found = await mailSuspensions(this.db);
    return { items: found.map((one) => ({ ...one, since: new Date(one.since).toISOString() })) };
  }

  /** Lets the address have mail again; should it bounce again, it is suspended again. */
  @Delete(':email')
  @HttpCode(204)
  @Roles('operator')
  async resume(
    @Param('email', { schema: Address }) email: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    await this.db.transaction(async (tx) => {
      const personId = await resumeAddress(tx, email);
      if (personId === undefined)
        throw new NotFound(
          'This address is not suspended. GET /api/v1/mail/suspensions lists those that are.',
        );
      await appendAudit(tx, [
        {
          at: Math.round(this.clock.now()),
          actor: auditActor(principal),
          action: 'mail.resumed',
          subject: `user:${personId}`,
          data: { address: email.toLowerCase() },
        },
      ]);
    });
  }
}
