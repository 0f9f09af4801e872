import { Body, Controller, Get, Put } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { auditActor, CurrentPrincipal, type Principal } from '../../../../access/principal.js';
import { Forbidden } from '../../../../errors.js';
import { MAIL_PREFERENCES } from '../../../sql/mail-preferences.js';
import { MailPreferences } from './preferences.service.js';

const Preference = z
  .object({
    /** `mine`: only what asks me by name or is given to me, and what nobody else would hear of. */
    reviews: z.enum(MAIL_PREFERENCES),
  })
  .meta({ id: 'MailPreference' });
type Preference = z.infer<typeof Preference>;

/** One's own mail. */
@ApiTags('access')
@Controller('api/v1/me/mail')
export class MailPreferencesController {
  constructor(private readonly preferences: MailPreferences) {}

  @Get()
  @ApiOkResponse({ standardSchema: Preference })
  async get(@CurrentPrincipal() principal: Principal): Promise<Preference> {
    return { reviews: await this.preferences.of(personal(principal)) };
  }

  @Put()
  @ApiOkResponse({ standardSchema: Preference })
  async put(
    @Body({ schema: Preference }) { reviews }: Preference,
    @CurrentPrincipal() principal: Principal,
  ): Promise<Preference> {
    await this.preferences.set(personal(principal), reviews, auditActor(principal));
    return { reviews };
  }
}

function personal({ kind, id }: Principal): string {
  if (kind !== 'user') throw new Forbidden('An API key gets no mail. Log in as the person whose mail it is.');
  return id;
}
