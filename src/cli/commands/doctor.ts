import type { Command } from 'commander';
import { findBucket, type PlacedBucket } from '../buckets.js';
import type { Cli } from '../cli.js';
import { channelOf } from '../slack/channels.js';
import { examinationLines, examine } from '../examination.js';
import { wholeNumber } from '../values.js';

interface DoctorOptions {
  readonly endpoint?: string;
  readonly wait: number;
  readonly slackProbe?: string;
}

/** `doctor`: proves that the service and its buckets work. Exit code 1 when something that is needed does not; warnings are 0. */
export function addDoctor(program: Command, cli: Cli): void {
  program
    .command('doctor')
    .description('prove rights, events, policy, scanners, mail and Slack; says what mends what does not work')
    .argument('[BUCKETS...]', 's3://name of registered buckets; all when none is named')
    .option('--endpoint <ID>', 'where they are; needed when several have one of this name')
    .option('--wait <SECONDS>', "for a probe object's event", wholeNumber('--wait', 1, 60), 20)
    .option(
      '--slack-probe <CHANNEL>',
      'also post a message to this Slack channel, #name or id, and take it away',
    )
    .action(async (names: string[], { endpoint, wait, slackProbe }: DoctorOptions) => {
      const buckets: PlacedBucket[] = [];
      for (const name of names) buckets.push(await findBucket(cli, name, endpoint));
      const examination = await examine(cli, buckets, wait, {
        ...(slackProbe !== undefined && { slackProbe: await channelOf(cli, slackProbe) }),
      });
      cli.print(examination, examinationLines);
      if (examination.worst === 'fail') cli.exitCode = 1;
    });
}
