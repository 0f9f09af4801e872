import { randomBytes } from 'node:crypto';
import { named } from './blocks.js';
import { MAX_VIEW_BYTES, viewProblems } from './limits.js';
import { Refusal, type Json } from './refusal.js';

const DEPTH = 3;

/** A modal or a Home tab as Slack keeps it. */
export type View = Json;

interface Owner {
  readonly teamId: string;
  readonly appId: string;
  readonly botId: string;
}

/** The modals that people have before them, one above the other, and their Home tabs. */
export class Views {
  /** The uppermost modal of each person. */
  readonly top = new Map<string, View>();
  readonly homes = new Map<string, View>();
  private readonly stacks = new Map<string, View[]>();
  private revision = 0;

  constructor(private readonly owner: Owner) {}

  open(user: string, wanted: Json): View {
    const view = this.made(wanted, 'modal');
    this.show(user, [{ ...view, root_view_id: view['id'], previous_view_id: null }]);
    return this.topOf(user);
  }

  push(user: string, wanted: Json): View {
    const stack = this.stacks.get(user) ?? [];
    const [root] = stack;
    if (root === undefined) throw new Refusal('not_found');
    if (stack.length >= DEPTH) throw new Refusal('push_limit_reached');
    const view = this.made(wanted, 'modal');
    const previous = stack.at(-1)?.['id'];
    this.show(user, [...stack, { ...view, root_view_id: root['id'], previous_view_id: previous }]);
    return this.topOf(user);
  }

  /** @param hash of the view as the service knew it; another one means that it changed meanwhile. */
  update(
    by: { id?: string | undefined; externalId?: string | undefined },
    wanted: Json,
    hash?: string,
  ): View {
    const [user, old] = this.find(by);
    if (hash !== undefined && hash !== old['hash']) throw new Refusal('hash_conflict');
    return this.replace(user, old, wanted);
  }

  /** The uppermost view becomes another one, as an answer to its submission says. */
  replaceTop(user: string, wanted: Json): View {
    return this.replace(user, this.topOf(user), wanted);
  }

  publish(user: string, wanted: Json, hash?: string): View {
    const old = this.homes.get(user);
    if (hash !== undefined && hash !== old?.['hash']) throw new Refusal('hash_conflict');
    const made = this.made(wanted, 'home');
    const id = old?.['id'] ?? made['id'];
    const view = { ...made, id, root_view_id: id, previous_view_id: null };
    this.homes.set(user, view);
    return view;
  }

  /** The uppermost modal goes away, and the one below it is seen again. */
  pop(user: string): void {
    this.show(user, (this.stacks.get(user) ?? []).slice(0, -1));
  }

  clear(user: string): void {
    this.show(user, []);
  }

  topOf(user: string): View {
    const view = this.top.get(user);
    if (view === undefined) throw new Error(`no modal is open for ${user}`);
    return view;
  }

  depth(user: string): number {
    return this.stacks.get(user)?.length ?? 0;
  }

  /** Remembers what somebody filled in or chose. */
  keepState(view: View, values: Json): void {
    view['state'] = { values };
  }

  private replace(user: string, old: View, wanted: Json): View {
    const isHome = old['type'] === 'home';
    const view = {
      ...this.made(wanted, isHome ? 'home' : 'modal'),
      id: old['id'],
      root_view_id: old['root_view_id'],
      previous_view_id: old['previous_view_id'],
      // What was typed stays when its field stays.
      state: old['state'],
    };
    if (isHome) this.homes.set(user, view);
    else
      this.show(
        user,
        (this.stacks.get(user) ?? []).map((one) => (one === old ? view : one)),
      );
    return view;
  }

  private find(by: { id?: string | undefined; externalId?: string | undefined }): [string, View] {
    const isIt = (view: View): boolean =>
      by.id === undefined ? view['external_id'] === by.externalId : view['id'] === by.id;
    for (const [user, stack] of this.stacks) {
      const view = stack.find(isIt);
      if (view !== undefined) return [user, view];
    }
    for (const [user, view] of this.homes) if (isIt(view)) return [user, view];
    throw new Refusal('not_found');
  }

  private show(user: string, stack: View[]): void {
    this.stacks.set(user, stack);
    const top = stack.at(-1);
    if (top === undefined) this.top.delete(user);
    else this.top.set(user, top);
  }

  private made(wanted: Json, type: 'modal' | 'home'): View {
    if (Buffer.byteLength(JSON.stringify(wanted)) > MAX_VIEW_BYTES) throw new Refusal('view_too_large');
    const problems = wanted['type'] === type ? [] : [`type: not ${type}`];
    problems.push(...viewProblems(wanted));
    if (problems.length > 0) throw Refusal.because('invalid_arguments', problems);
    this.revision += 1;
    return {
      // Slack writes null for what a view does not have.
      title: null,
      close: null,
      submit: null,
      clear_on_close: false,
      notify_on_close: false,
      private_metadata: '',
      callback_id: '',
      external_id: '',
      ...wanted,
      blocks: named(wanted['blocks'] as Json[]),
      id: `V${randomBytes(5).toString('hex').toUpperCase()}`,
      team_id: this.owner.teamId,
      app_id: this.owner.appId,
      bot_id: this.owner.botId,
      hash: `${this.revision}.${randomBytes(4).toString('hex')}`,
      state: { values: {} },
    };
  }
}

/** @throws Error when an answer to a submission holds a view that Slack would not take. */
export function refuseView(view: Json): void {
  const problems = viewProblems(view);
  if (problems.length > 0) throw new Error(`Slack would refuse the view: ${problems.join('; ')}`);
}
