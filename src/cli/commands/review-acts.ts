import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { momentOf } from '../moments.js';
import { reviewerId } from '../reviewers.js';

interface Review {
  readonly state: string;
  readonly dueAt: string | null;
  readonly claim: { readonly by: { readonly name: string } } | null;
}

const REASON = ['--reason <TEXT>', 'kept in the audit trail'] as const;

/** `review hold|resume|ask|answer|comment|reassign|delegate|postpone|skip|withdraw`: what is done with one beside deciding it. */
export function addReviewActs(group: Command, cli: Cli): void {
  const act = async (
    id: string,
    verb: string,
    body: object,
    said: (review: Review) => string,
  ): Promise<void> => {
    const path = `/api/v1/reviews/${encodeURIComponent(id)}/${verb}`;
    const review = await cli.client.call<Review>('POST', path, body);
    cli.print(review, (one) => [said(one)]);
  };
  const command = (name: string, description: string): Command =>
    group.command(name).description(description).argument('<ID>');
  const holder = ({ claim }: Review): string => claim?.by.name ?? 'nobody';

  command('hold', 'put it on hold until a time')
    .requiredOption('--until <TIME>', 'such as 2026-12-24T09:00:00Z, or 4h or 2d from now')
    .option(...REASON)
    .action((id: string, { until, reason }: { until: string; reason?: string }) => {
      const at = momentOf('--until', until);
      return act(id, 'hold', { until: at, ...reasoned(reason) }, () => `On hold until ${at}.`);
    });
  command('resume', 'end a hold, or the wait for an answer').action((id: string) =>
    act(id, 'resume', {}, ({ state }) => `It goes on; it is ${state}.`),
  );
  command('ask', 'ask back; it waits for the answer')
    .argument('<QUESTION>')
    .action((id: string, question: string) =>
      act(id, 'ask', { question }, () => 'Asked. It waits for the answer.'),
    );
  command('answer', 'answer what was asked back')
    .argument('<TEXT>')
    .action((id: string, text: string) => act(id, 'answer', { text }, () => 'Answered. It goes on.'));
  command('comment', 'add a remark to its timeline')
    .argument('<TEXT>')
    .action((id: string, text: string) => act(id, 'comment', { text }, () => 'Noted.'));
  for (const [verb, description] of [
    ['reassign', 'give it to somebody'],
    ['delegate', 'hand it on and stay responsible: given back, it returns to you'],
  ] as const)
    command(verb, description)
      .argument('<PERSON>', 'name or id of somebody who may decide')
      .option(...REASON)
      .action(async (id: string, person: string, { reason }: { reason?: string }) =>
        act(
          id,
          verb,
          { to: await reviewerId(cli, person), ...reasoned(reason) },
          (one) => `${holder(one)} has it.`,
        ),
      );
  command('postpone', 'move its deadline; reminders and escalation move with it')
    .requiredOption('--due <TIME>', 'such as 2026-12-24T09:00:00Z, or 4h or 2d from now')
    .option(...REASON)
    .action((id: string, { due, reason }: { due: string; reason?: string }) => {
      const dueAt = momentOf('--due', due);
      return act(id, 'postpone', { dueAt, ...reasoned(reason) }, (one) => `Due ${one.dueAt ?? 'never'}.`);
    });
  command('skip', 'skip it: the workflow goes on without an answer')
    .requiredOption(...REASON)
    .action((id: string, { reason }: { reason: string }) =>
      act(id, 'skip', { reason }, () => 'Skipped. The workflow goes on without an answer.'),
    );
  command('withdraw', 'take your vote back, as long as it has decided nothing').action((id: string) =>
    act(id, 'withdraw', {}, () => 'Your vote is taken back.'),
  );
}

const reasoned = (reason: string | undefined): { reason?: string } =>
  reason === undefined ? {} : { reason };
