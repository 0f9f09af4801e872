import { Controller, Get, Inject, Optional, Param } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Roles } from '../../access/principal.js';
import { NotFound } from '../../errors.js';
import { Mailbox } from './mailbox.js';

const MailId = z.string().regex(/^[A-Za-z0-9._-]{1,200}$/, 'is not the id of a mail');

/** Shows what the embedded mailbox caught. The HTML is a stranger's: show it sandboxed. */
@ApiTags('mailbox')
@Controller('api/v1/mailbox')
@Roles('analyst')
export class MailboxController {
  constructor(@Optional() @Inject(Mailbox) private readonly mailbox: Mailbox | null | undefined) {}

  @Get()
  async list() {
    return { items: await this.present().list(), nextCursor: null };
  }

  @Get(':id')
  async get(@Param('id', { schema: MailId }) id: string) {
    const mail = await this.present().get(id);
    if (mail === undefined) throw new NotFound(`The mailbox holds no mail ${id}.`);
    return mail;
  }

  private present(): Mailbox {
    if (this.mailbox !== null && this.mailbox !== undefined) return this.mailbox;
    throw new NotFound('There is no embedded mailbox: mail goes to the server that SMTP_URL names.');
  }
}
