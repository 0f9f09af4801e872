import { z } from 'zod';
import type { FakeSlack } from '../fake-slack.js';
import { NotSent } from '../form-state.js';
import type { FakeMessage, FakeWhisper } from '../messages.js';
import type { FakeUser } from '../people.js';

const id = z.string().max(300);
const Value = z.union([
  z.string().max(10_000),
  z.number(),
  z.boolean(),
  z.null(),
  z.array(z.string().max(3000)).max(200),
]);

const inMessage = { channel: id, ts: id };
const usable = { action: id, block: id };

/** What somebody at the page may do. */
export const PageAct = z.intersection(
  z.object({ as: id }),
  z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('click'), ...inMessage, ...usable, value: z.string().max(3000).optional() }),
    z.object({ kind: z.literal('select'), ...inMessage, ...usable, value: Value }),
    z.object({ kind: z.literal('clickIn'), ...usable, value: z.string().max(3000).optional() }),
    z.object({ kind: z.literal('selectIn'), ...usable, value: Value }),
    z.object({ kind: z.literal('clickHome'), ...usable, value: z.string().max(3000).optional() }),
    z.object({ kind: z.literal('selectHome'), ...usable, value: Value }),
    z.object({ kind: z.literal('submit'), values: z.record(id, z.record(id, Value)) }),
    z.object({ kind: z.literal('close') }),
    z.object({ kind: z.literal('home') }),
    z.object({
      kind: z.literal('write'),
      channel: id,
      thread: id.optional(),
      text: z.string().min(1).max(4000),
    }),
  ]),
);
export type PageAct = z.infer<typeof PageAct>;

/** What is said to the page: nothing when all went well. `problems` belong to the fields of a form. */
export interface Outcome {
  readonly problem?: string | undefined;
  readonly problems?: Readonly<Record<string, string>> | undefined;
}

/** Does it, as the person at the page. */
export async function perform(slack: FakeSlack, act: PageAct): Promise<Outcome> {
  const user = slack.workspace.users.get(act.as);
  if (user === undefined) return { problem: 'Choose who you are first.' };
  try {
    return await performAs(slack, user, act);
  } catch (error) {
    if (error instanceof NotSent) return { problems: error.problems };
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

async function performAs(slack: FakeSlack, user: FakeUser, act: PageAct): Promise<Outcome> {
  switch (act.kind) {
    case 'click':
      await slack.click(messageOf(slack, act), act.action, user, { value: act.value, block: act.block });
      return {};
    case 'select':
      await slack.select(messageOf(slack, act), act.action, act.value, user, { block: act.block });
      return {};
    case 'clickIn':
      await slack.clickIn(user, act.action, { value: act.value, block: act.block });
      return {};
    case 'selectIn':
      await slack.selectIn(user, act.action, act.value, { block: act.block });
      return {};
    case 'clickHome':
      await slack.clickHome(act.action, user, act.value, act.block);
      return {};
    case 'selectHome':
      await slack.selectHome(act.action, act.value, user, { block: act.block });
      return {};
    case 'submit': {
      const answer = await slack.submit(user, act.values);
      return answer['response_action'] === 'errors'
        ? { problems: answer['errors'] as Record<string, string> }
        : {};
    }
    case 'close':
      await slack.closeView(user);
      return {};
    case 'home':
      await slack.openHome(user);
      return {};
    case 'write':
      return write(slack, user, act);
    default:
      return act satisfies never;
  }
}

async function write(slack: FakeSlack, user: FakeUser, act: PageAct & { kind: 'write' }): Promise<Outcome> {
  const command = /^(\/[\w-]+)\s*([\s\S]*)$/.exec(act.text);
  if (command?.[1] !== undefined) await slack.slash(command[1], command[2] ?? '', user, act.channel);
  else await slack.write(act.channel, act.text, user, act.thread);
  return {};
}

function messageOf(
  slack: FakeSlack,
  { channel, ts, as }: { channel: string; ts: string; as: string },
): FakeMessage | FakeWhisper {
  const message =
    slack.workspace.find(channel, ts) ??
    slack.whispers.find((whisper) => whisper.ts === ts && whisper.channel === channel && whisper.user === as);
  if (message === undefined) throw new Error('That message is gone.');
  return message;
}
