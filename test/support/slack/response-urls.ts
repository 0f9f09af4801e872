import { randomBytes } from 'node:crypto';
import { named } from './blocks.js';
import { isWhisper, type FakeMessage, type FakeWhisper } from './messages.js';
import { Refusal, type Json } from './refusal.js';
import { refuseBlocks, type Workspace } from './workspace.js';

const LIVES_MS = 30 * 60_000;
const USES = 5;
const KEPT = 20_000;

/** Where an answer to one interaction may go, and what it may replace. */
interface Target {
  readonly user: string;
  readonly channel: string;
  readonly about: FakeMessage | FakeWhisper | undefined;
  readonly at: number;
  uses: number;
}

/** The addresses that come with interactions: five answers within half an hour, without a token. */
export class ResponseUrls {
  private readonly targets = new Map<string, Target>();

  constructor(private readonly workspace: Workspace) {}

  /** @returns the last part of the address. */
  issue(user: string, channel: string, about?: FakeMessage | FakeWhisper): string {
    const key = randomBytes(9).toString('base64url');
    this.targets.set(key, { user, channel, about, at: this.workspace.now(), uses: 0 });
    const [oldest] = this.targets.keys();
    if (this.targets.size > KEPT && oldest !== undefined) this.targets.delete(oldest);
    return key;
  }

  /** @throws Refusal when it was used up or is too old. */
  use(key: string, answer: Json): void {
    const target = this.targets.get(key);
    if (target === undefined) throw new Refusal('no_such_url');
    if (this.workspace.now() - target.at > LIVES_MS) throw new Refusal('expired_url');
    if (target.uses >= USES) throw new Refusal('used_url');
    target.uses += 1;
    say(this.workspace, target, answer);
  }
}

/** Does what an answer says: to a response_url, or at once to a slash command. */
export function say(
  workspace: Workspace,
  target: { user: string; channel: string; about?: FakeMessage | FakeWhisper | undefined },
  answer: Json,
): void {
  const { about } = target;
  if (answer['delete_original'] === true && about !== undefined) {
    if (isWhisper(about)) workspace.removeWhisper(about);
    else workspace.remove(about);
    return;
  }
  const blocks = (answer['blocks'] as Json[] | undefined) ?? [];
  const text = typeof answer['text'] === 'string' ? answer['text'] : '';
  if (text === '' && blocks.length === 0) throw new Refusal('no_text');
  refuseBlocks(blocks);
  if (answer['replace_original'] === true && about !== undefined) {
    about.text = text;
    about.blocks = named(blocks);
    if (!isWhisper(about)) about.updates += 1;
    workspace.onChange();
    return;
  }
  const threadTs = typeof answer['thread_ts'] === 'string' ? answer['thread_ts'] : undefined;
  const channel = workspace.channels.get(target.channel);
  if (answer['response_type'] === 'in_channel' && channel !== undefined)
    workspace.post(channel, { text, blocks, threadTs });
  else workspace.whisper({ user: target.user, channel: target.channel, text, blocks, threadTs });
}
