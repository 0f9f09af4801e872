import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { CONFIG, type Config } from '../../config.js';
import { DoctorCheck, type Diagnosis } from '../../ops/doctor/diagnosis.js';
import { Doctor } from '../../ops/doctor/doctor.js';
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
    return say('ok', 'the mail server takes us');
  }
}
