import { Controller, Get, Inject, Optional, Param } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { CurrentPrincipal, Roles, type Principal } from '../../access/principal.js';
import { NotFound } from '../../errors.js';
import { Mailbox, type CaughtMail } from './mailbox.js';

const MailId = z.string().regex(/^[A-Za-z0-9._-]{1,200}$/, 'is not the id of a mail');

/**
 * Shows what the embedded mailbox caught: everything to admins, to others what is addressed to them, because mails hold
 * links and codes that speak for whom they were sent to. The HTML is a stranger's: show it sandboxed.
 */
@ApiTags('mailbox')
@Controller('api/v1/mailbox')
@Roles('analyst')
export class MailboxController {
  constructor(@Optional() @Inject(Mailbox) private readonly mailbox: Mailbox | null | undefined) {}

  @Get()
  async list(@CurrentPrincipal() principal: Principal) {
    const mails = await this.present().list();
    return { items: mails.filter((mail) => mayRead(principal, mail)), nextCursor: null };
  }

  @Get(':id')
  async get(@CurrentPrincipal() principal: Principal, @Param('id', { schema: MailId }) id: string) {
    const mail = await this.present().get(id);
    // Somebody else's is as if it were not there.
    if (mail === undefined || !mayRead(principal, mail))
      throw new NotFound(`The mailbox holds no mail ${id}.`);
    return mail;
  }

  private present(): Mailbox {
    if (this.mailbox !== null && this.mailbox !== undefined) return this.mailbox;
    throw new NotFound('There is no embedded mailbox: mail goes to the server that SMTP_URL names.');
  }
}

function mayRead({ roles, email }: Principal, { to }: CaughtMail): boolean {
  if (roles.includes('admin')) return true;
  const own = email?.trim().toLowerCase();
  return own !== undefined && own !== '' && to.some((address) => address.toLowerCase() === own);
}
