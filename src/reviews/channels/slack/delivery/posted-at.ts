import { z } from 'zod';
import { SlackAnswerError } from './slack-errors.js';

const Id = z.string().min(1).max(100);
const Said = z.object({ channel: Id, ts: Id });
const Opened = z.object({ channel: z.object({ id: Id }) });

/** Where a message stands. @throws SlackAnswerError when Slack does not say: then nobody knows whether it does. */
export function postedAt(answer: unknown): z.infer<typeof Said> {
  const said = Said.safeParse(answer);
  if (!said.success) throw new SlackAnswerError('the answer does not say where the message stands');
  return said.data;
}

/** @throws SlackAnswerError when Slack does not say. */
export function openedChannel(answer: unknown): string {
  const opened = Opened.safeParse(answer);
  if (!opened.success) throw new SlackAnswerError('the answer does not say which conversation was opened');
  return opened.data.channel.id;
}
