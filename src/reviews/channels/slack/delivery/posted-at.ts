import { z } from 'zod';
import { SlackAnswerError } from './slack-errors.js';

const Id = z.string().min(1).max(100);
const Said = z.object({ channel: Id, ts: Id });
const Opened = z.object({ channel: z.object({ id: Id }) });

/**
 * Where a message stands.
 *
 * @param channel where it was to go, by its id.
 * @throws SlackAnswerError when Slack does not say, or names another channel: then nobody knows whether it stands anywhere.
 */
export function postedAt(answer: unknown, channel: string): z.infer<typeof Said> {
  const said = Said.safeParse(answer);
  if (!said.success) throw new SlackAnswerError('the answer does not say where the message stands');
  if (said.data.channel !== channel)
    throw new SlackAnswerError('the answer names another channel than the message was for');
  return said.data;
}

/** @throws SlackAnswerError when Slack does not say. */
export function openedChannel(answer: unknown): string {
  const opened = Opened.safeParse(answer);
  if (!opened.success) throw new SlackAnswerError('the answer does not say which conversation was opened');
  return opened.data.channel.id;
}
