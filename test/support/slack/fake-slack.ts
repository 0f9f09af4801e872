import { chosen, clicked, find, findIn, refuseErrors, type Which } from './actions.js';
import type { Usable } from './blocks.js';
import type { FakeEvent } from './events.js';
import { filled, type FormValue, type FormValues } from './form-state.js';
import { isWhisper, type FakeMessage, type FakeWhisper } from './messages.js';
import { ChatPage } from './page/chat-page.js';
import { commandFields, inMessage, inView, whoAndWhere } from './payloads.js';
import { asSlackUser, type FakeUser, type UserChange } from './people.js';
import type { Json } from './refusal.js';
import { say } from './response-urls.js';
import { FakeSlackServer, type FakeSlackOptions } from './slack-server.js';
import { Talk } from './talk.js';
import { refuseView, type View } from './views.js';

export { buttonsOf, textOf } from './blocks.js';
export { linksIn, mentionsIn } from './reading.js';
export type { FakeMessage, FakeWhisper } from './messages.js';
export type { FakeUser } from './people.js';

/**
 * Slack as far as reviews use it: the web API over HTTP, and Socket Mode or signed requests back, for the real SDK.
 *
 * It refuses what Slack refuses (unknown tokens, missing scopes, blocks above the limits, more than one message per
 * second and channel, stale triggers) and plays the mishaps that a test scripts. Its methods are what people do in
 * Slack; each gives back what the service acknowledged with.
 */
export class FakeSlack extends FakeSlackServer {
  /** The channel that is there from the start. */
  readonly channel: string;
  /** Slack tells the app of its own messages as well; a test may spare itself that. */
  echoes = true;
  private chatPage: ChatPage | undefined;
  private readonly talk = new Talk(this.workspace, this.eventStream, this.tokens);

  static async start(options: FakeSlackOptions = {}): Promise<FakeSlack> {
    const fake = new FakeSlack(options);
    await fake.listen(options.port ?? 0);
    return fake;
  }

  private constructor(options: FakeSlackOptions) {
    super(options);
    const channels = options.state?.channels ?? [{ id: 'C0REVIEWS', name: 'reviews' }];
    for (const channel of channels) this.addChannel(channel);
    for (const user of options.state?.users ?? []) this.addUser(user);
    this.channel = channels[0]?.id ?? '';
    this.workspace.onOwnMessage = (message) => {
      if (this.echoes) void this.talk.echo(message);
    };
  }

  /** Serves the page on which people click here. @returns its address. */
  page(): string {
    const page = (this.chatPage ??= new ChatPage(this));
    this.front.serve = (request, response) => page.handle(request, response);
    return `${this.origin}/`;
  }

  override async close(): Promise<void> {
    this.chatPage?.close();
    await super.close();
  }

  /** Every event that there was for the service, and whether it took it. */
  get events(): readonly FakeEvent[] {
    return this.eventStream.all;
  }

  /** Waits between the tries of an event that is not acknowledged. */
  set eventRetriesAfterMs(pauses: readonly number[]) {
    this.eventStream.retriesAfterMs = pauses;
  }

  /** Somebody clicks a button of a message, or of an answer that they alone see. */
  click(
    message: FakeMessage | FakeWhisper,
    actionId: string,
    user: FakeUser,
    which: Which = {},
  ): Promise<Json> {
    return this.actInMessage(message, user, clicked(find(message.blocks, actionId, which)));
  }

  /** Somebody chooses in a menu of a message. @param option is its value, or the id of a person. */
  select(
    message: FakeMessage | FakeWhisper,
    actionId: string,
    option: FormValue,
    user: FakeUser,
    which: Which = {},
  ): Promise<Json> {
    return this.actInMessage(message, user, chosen(find(message.blocks, actionId, which), option));
  }

  /** Somebody clicks a button in the modal that is open for them. */
  clickIn(user: FakeUser, actionId: string, which: Which = {}): Promise<Json> {
    const view = this.workspace.views.topOf(user.id);
    return this.actInView(view, user, clicked(findIn(view, actionId, which)));
  }

  /** Somebody chooses in a menu of the modal that is open for them. */
  selectIn(user: FakeUser, actionId: string, option: FormValue, which: Which = {}): Promise<Json> {
    const view = this.workspace.views.topOf(user.id);
    return this.selectInView(view, user, findIn(view, actionId, which), option);
  }

  /** Somebody clicks a button in their Home tab. */
  clickHome(actionId: string, user: FakeUser, value?: string, block?: string): Promise<Json> {
    const view = this.homeOf(user);
    return this.actInView(view, user, clicked(findIn(view, actionId, { value, block })));
  }

  /** Somebody chooses in a menu of their Home tab. */
  selectHome(actionId: string, option: FormValue, user: FakeUser, which: Which = {}): Promise<Json> {
    const view = this.homeOf(user);
    return this.selectInView(view, user, findIn(view, actionId, which), option);
  }

  /**
   * Somebody sends the modal that is open for them; what they leave out stays as it was.
   * @throws NotSent for what Slack's window refuses by itself.
   */
  async submit(user: FakeUser, values: FormValues = {}): Promise<Json> {
    const { views } = this.workspace;
    const view = views.topOf(user.id);
    const state = filled(view, values);
    views.keepState(view, state);
    const ack = await this.delivery.interaction({
      type: 'view_submission',
      ...whoAndWhere(this.workspace, user),
      trigger_id: this.workspace.triggers.issue(user.id),
      view: { ...view, state: { values: state } },
      response_urls: [],
    });
    this.follow(ack, user, view);
    this.workspace.onChange();
    return ack;
  }

  /** Somebody closes the uppermost modal, or all of them; the service hears of it only when the modal asks for that. */
  async closeView(user: FakeUser, { all = false }: { readonly all?: boolean } = {}): Promise<Json> {
    const { views } = this.workspace;
    const view = views.topOf(user.id);
    if (all || view['clear_on_close'] === true) views.clear(user.id);
    else views.pop(user.id);
    this.workspace.onChange();
    if (view['notify_on_close'] !== true) return {};
    return this.delivery.interaction({
      type: 'view_closed',
      ...whoAndWhere(this.workspace, user),
      view,
      is_cleared: all,
    });
  }

  /** Somebody types a slash command. @returns the answer, which only they see unless it says otherwise. */
  async slash(command: string, text: string, user: FakeUser, channelId = this.channel): Promise<Json> {
    this.workspace.meet(user, channelId);
    const channel = this.workspace.channelOf(channelId);
    const answer = await this.delivery.command(
      commandFields(
        this.workspace,
        { name: command, text, user, channel },
        {
          triggerId: this.workspace.triggers.issue(user.id),
          responseUrl: this.responseUrl(user, channelId),
        },
      ),
    );
    if (answer['text'] !== undefined || answer['blocks'] !== undefined)
      say(this.workspace, { user: user.id, channel: channelId }, answer);
    return answer;
  }

  /** Somebody opens the app's Home tab; what the service publishes then is in {@link homes}. */
  openHome(user: FakeUser): Promise<FakeEvent> {
    this.workspace.meet(user);
    const view = this.homes.get(user.id);
    return this.eventStream.send({
      type: 'app_home_opened',
      user: user.id,
      channel: this.workspace.directWith(user.id).id,
      tab: 'home',
      event_ts: this.workspace.nextTs(),
      ...(view === undefined ? {} : { view }),
    });
  }

  /** Somebody answers in the thread of a message. */
  reply(message: FakeMessage, text: string, user: FakeUser): Promise<FakeMessage> {
    return this.talk.write(message.channel, text, user, message.threadTs ?? message.ts);
  }

  /** Somebody writes in a channel, or to the app. */
  write(channelId: string, text: string, user: FakeUser, threadTs?: string): Promise<FakeMessage> {
    return this.talk.write(channelId, text, user, threadTs);
  }

  editReply(message: FakeMessage, text: string): Promise<void> {
    return this.talk.edit(message, text);
  }

  deleteReply(message: FakeMessage): Promise<void> {
    return this.talk.remove(message);
  }

  /** Somebody is renamed, becomes a guest, or leaves; Slack says so. */
  changeUser(id: string, change: UserChange): Promise<FakeEvent> {
    const user = this.workspace.changeUser(id, change);
    return this.eventStream.send({
      type: 'user_change',
      user: asSlackUser(user, this.teamId, this.scopes.includes('users:read.email')),
      cache_ts: Math.floor(this.now() / 1000),
      event_ts: this.workspace.nextTs(),
    });
  }

  /** Brings an event under its old id once more. */
  repeat(event: FakeEvent): Promise<void> {
    return this.eventStream.sendAgain(event);
  }

  /** Brings any payload as an interaction, also one that no window of Slack would make. */
  deliver(payload: Json): Promise<Json> {
    return this.delivery.interaction(payload);
  }

  private actInMessage(message: FakeMessage | FakeWhisper, user: FakeUser, action: Json): Promise<Json> {
    this.workspace.meet(user, message.channel);
    const channel = this.workspace.channels.get(message.channel);
    const { channel: id, ts } = message;
    const about = isWhisper(message) ? message : (this.workspace.find(id, ts) ?? message);
    return this.act(user, action, {
      ...inMessage(this.workspace, message, channel),
      response_url: this.responseUrl(user, id, about),
    });
  }

  private actInView(view: View, user: FakeUser, action: Json): Promise<Json> {
    this.workspace.meet(user);
    return this.act(user, action, inView(view));
  }

  private selectInView(view: View, user: FakeUser, usable: Usable, option: FormValue): Promise<Json> {
    const action = chosen(usable, option);
    const { action_id: id, block_id: block, action_ts: _at, text: _text, ...answer } = action;
    const { values } = view['state'] as { values: Record<string, Json> };
    this.workspace.views.keepState(view, {
      ...values,
      [String(block)]: { ...values[String(block)], [String(id)]: answer },
    });
    return this.actInView(view, user, action);
  }

  private act(user: FakeUser, action: Json, where: Json): Promise<Json> {
    return this.delivery.interaction({
      type: 'block_actions',
      ...whoAndWhere(this.workspace, user),
      trigger_id: this.workspace.triggers.issue(user.id),
      ...where,
      actions: [action],
    });
  }

  /** Does with the modal what the answer to its submission says. */
  private follow(ack: Json, user: FakeUser, view: View): void {
    const { views } = this.workspace;
    switch (ack['response_action']) {
      case undefined:
        views.pop(user.id);
        break;
      case 'clear':
        views.clear(user.id);
        break;
      case 'errors':
        refuseErrors(ack['errors'], view);
        break;
      case 'update':
        refuseView(ack['view'] as Json);
        views.replaceTop(user.id, ack['view'] as Json);
        break;
      case 'push':
        refuseView(ack['view'] as Json);
        views.push(user.id, ack['view'] as Json);
        break;
      default:
        throw new Error(`Slack does not know response_action ${String(ack['response_action'])}`);
    }
  }

  private responseUrl(user: FakeUser, channel: string, about?: FakeMessage | FakeWhisper): string {
    return `${this.origin}/respond/${this.responseUrls.issue(user.id, channel, about)}`;
  }

  private homeOf(user: FakeUser): View {
    const view = this.homes.get(user.id);
    if (view === undefined) throw new Error(`nothing was published for the Home tab of ${user.id}`);
    return view;
  }
}
