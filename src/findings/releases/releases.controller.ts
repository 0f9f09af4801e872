import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { CurrentPrincipal, Roles, type Principal } from '../../access/principal.js';
import { actingOf } from '../exceptions/exceptions.controller.js';
import { Releases } from './releases.service.js';

const NewRelease = z
  .strictObject({
    /** Why it may go back; whoever is asked reads it. */
    reason: z
      .string()
      .max(1000)
      .refine((value) => !value.includes('\u0000') && value.isWellFormed(), 'must not contain NUL')
      .refine((value) => value.trim() !== '', 'must say why'),
  })
  .meta({ id: 'NewRelease' });
const AskedRelease = z.object({ workflowId: z.string(), scanId: z.uuid() }).meta({ id: 'AskedRelease' });

/** The way back out of quarantine, by the word of two people. */
@ApiTags('findings')
@Controller('api/v1/objects')
@Roles('analyst', 'author')
export class ReleasesController {
  constructor(private readonly releases: Releases) {}

  /** Asks for it; nothing is moved until two people other than who asked say so. */
  @Post(':id/release')
  @HttpCode(202)
  @ApiAcceptedResponse({ standardSchema: AskedRelease })
  ask(
    @Param('id', { schema: z.guid('must be the id of an object') }) id: string,
    @Body({ schema: NewRelease }) { reason }: z.infer<typeof NewRelease>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<z.infer<typeof AskedRelease>> {
    return this.releases.ask(id, reason, actingOf(principal));
  }
}
