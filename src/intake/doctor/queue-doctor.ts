import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { CONFIG, type Config } from '../../config.js';
import { DoctorCheck, type Diagnosis } from '../../ops/doctor/diagnosis.js';
import { Doctor } from '../../ops/doctor/doctor.js';
import { MessageQueues } from '../../s3/message-queues.js';
import { QueueError } from '../../s3/queue-error.js';
import { eventQueues } from '../sqs/event-queues.js';

// S3's largest event has 64 KB; what is larger than the queue takes is lost without a word.
const MIN_MESSAGE_BYTES = 65_536;

/** Looks at the queues that are polled, and at their dead letters. */
@Injectable()
export class QueueDoctor extends DoctorCheck implements OnApplicationBootstrap {
  readonly name = 'queues';
  readonly limitSeconds = 60;

  constructor(
    private readonly doctor: Doctor,
    private readonly queues: MessageQueues,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    super();
  }

  onApplicationBootstrap(): void {
    this.doctor.add(this);
  }

  async run(): Promise<readonly Diagnosis[]> {
    const all = await Promise.all(eventQueues(this.config).map(({ name, url }) => this.look(name, url)));
    return all.flat();
  }

  private async look(name: string, url: string): Promise<Diagnosis[]> {
    const say = (status: Diagnosis['status'], fact: string, remedy?: string): Diagnosis => ({
      check: 'sqs',
      subject: 'service',
      status,
      fact: `${name}: ${fact}`,
      ...(remedy !== undefined && { remedy }),
    });
    try {
      const facts = await this.queues.facts(url);
      const found = [say('ok', `answers; about ${facts.waiting} message(s) wait`)];
      if ((facts.maxMessageBytes ?? MIN_MESSAGE_BYTES) < MIN_MESSAGE_BYTES) {
        const remedy = 'Raise MaximumMessageSize to 262144; sallyport connect does.';
        found.push(
          say('fail', `takes ${facts.maxMessageBytes} bytes a message: larger events are lost`, remedy),
        );
      }
      if (facts.deadLetterArn === undefined) {
        const remedy = 'Give it a queue of dead letters; sallyport connect does.';
        return [
          ...found,
          say(
            'warn',
            'has no queue of dead letters: a message that cannot be taken is tried until it expires',
            remedy,
          ),
        ];
      }
      const dead = await this.queues.facts(await this.queues.urlOf(facts.deadLetterArn, url));
      if (dead.waiting > 0) {
        found.push(
          say('warn', `about ${dead.waiting} dead letter(s) wait`, 'Look why, mend it, and redrive them.'),
        );
      }
      return found;
    } catch (error) {
      if (!(error instanceof QueueError)) throw error;
      return [say('fail', error.said, error.remedy)];
    }
  }
}
