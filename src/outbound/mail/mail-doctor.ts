import { resolveTxt } from 'node:dns/promises';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { CONFIG, type Config } from '../../config.js';
import { DoctorCheck, type Diagnosis } from '../../ops/doctor/diagnosis.js';
import { Doctor } from '../../ops/doctor/doctor.js';
import { holdsKey } from './dkim.js';
import { Mailer } from './mailer.js';

/** Logs in at the mail server, and sends nothing. */
@Injectable()
export class MailDoctor extends DoctorCheck implements OnApplicationBootstrap {
  readonly name = 'smtp';
  readonly limitSeconds = 30;

  constructor(
    private readonly doctor: Doctor,
    private readonly mailer: Mailer,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    super();
  }

  onApplicationBootstrap(): void {
    this.doctor.add(this);
  }

  async run(): Promise<readonly Diagnosis[]> {
    const say = (status: Diagnosis['status'], fact: string, remedy?: string): Diagnosis[] => [
      { check: this.name, subject: 'service', status, fact, ...(remedy !== undefined && { remedy }) },
    ];
    const problem = await this.mailer.verify();
    if (problem !== undefined) {
      return say(
        'fail',
        `the mail server does not take us: ${problem}`,
        'Check SMTP_URL: host, port, name, password, TLS.',
      );
    }
    if (this.config.SMTP_URL === undefined) {
      return say('warn', 'mails go to the embedded mailbox and to nobody else', 'Set SMTP_URL.');
    }
    return [...say('ok', 'the mail server takes us'), ...(await this.signature())];
  }

  /** Whether what signs our mails can be checked by others. */
  private async signature(): Promise<readonly Diagnosis[]> {
    const { dkim } = this.mailer;
    const say = (status: Diagnosis['status'], fact: string, remedy?: string): Diagnosis[] => [
      { check: this.name, subject: 'dkim', status, fact, ...(remedy !== undefined && { remedy }) },
    ];
    if (dkim === undefined)
      return say('warn', 'our mails are not signed here', 'Set DKIM_KEY_FILE, or let the mail server sign.');
    const publish = `Publish a TXT record ${dkim.recordName}: ${dkim.record}`;
    try {
      const records = (await resolveTxt(dkim.recordName)).map((strings) => strings.join(''));
      return records.some((record) => holdsKey(dkim, record))
        ? say('ok', `our signature can be checked: ${dkim.recordName}`)
        : say('fail', `${dkim.recordName} holds another key than ours`, publish);
    } catch (error) {
      const { code = 'no answer' } = error as NodeJS.ErrnoException;
      return say('fail', `${dkim.recordName} was not found in DNS (${code})`, publish);
    }
  }
}
