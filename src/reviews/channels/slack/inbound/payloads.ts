import { z } from 'zod';

/*
 * What Slack sends when somebody clicks or submits, as far as we use it. Nothing in it is trusted beyond who clicked
 * what: rights and state are looked up.
 */

/** Slack's ids are letters and digits; what is kept of them goes into statements and pages. */
export const SlackId = z.string().regex(/^[\w.-]{1,100}$/);
const id = SlackId;

/** What people call themselves: as it is, but for what PostgreSQL cannot keep. */
const name = z
  .string()
  .max(500)
  .transform((text) => text.replaceAll('\u0000', '').toWellFormed());

/** Who acted. `team_id` is that of the account: with Slack Connect it may be another workspace than ours. */
export const SlackUser = z.object({
  id,
  team_id: id.nullish(),
  name: name.optional(),
  username: name.optional(),
});
export type SlackUser = z.infer<typeof SlackUser>;

/** From which workspace and to which app. With Slack Connect `team` may be that of the stranger. */
const sender = {
  team: z.object({ id }).nullish(),
  enterprise: z.object({ id }).nullish(),
  api_app_id: id.optional(),
} as const;

const Option = z.object({ value: z.string().max(2000) });

export const BlockActions = z.object({
  type: z.literal('block_actions'),
  user: SlackUser,
  ...sender,
  trigger_id: z.string().max(500),
  /** Says whose message it was that somebody clicked in. */
  message: z.object({ team: id.nullish() }).nullish(),
  channel: z.object({ id }).nullish(),
  container: z
    .object({
      type: z.string().max(60).optional(),
      message_ts: z.string().max(60).optional(),
      channel_id: id.optional(),
      view_id: id.optional(),
    })
    .nullish(),
  /** Of a click in a modal or in App Home. */
  view: z
    .object({
      id,
      type: z.string().max(60).optional(),
      callback_id: z.string().max(300).optional(),
      private_metadata: z.string().max(3000).optional(),
      hash: z.string().max(300).optional(),
      app_installed_team_id: id.nullish(),
    })
    .nullish(),
  response_url: z.string().max(3000).optional(),
  actions: z
    .array(
      z.object({
        action_id: z.string().max(300),
        block_id: z.string().max(300).optional(),
        value: z.string().max(2000).optional(),
        selected_option: Option.nullish(),
      }),
    )
    .min(1)
    .max(100),
});
export type BlockActions = z.infer<typeof BlockActions>;

/** The state of one input of a form. Which of these is there depends on the input's type. */
export const InputState = z.object({
  type: z.string().max(60).optional(),
  value: z.string().nullish(),
  selected_option: Option.nullish(),
  selected_options: z.array(Option).max(100).nullish(),
  selected_date: z.string().max(60).nullish(),
  /** Seconds since 1970. */
  selected_date_time: z.number().int().nullish(),
  selected_user: id.nullish(),
});
export type InputState = z.infer<typeof InputState>;

export const ViewSubmission = z.object({
  type: z.literal('view_submission'),
  user: SlackUser,
  ...sender,
  trigger_id: z.string().max(500).optional(),
  view: z.object({
    id: id.optional(),
    callback_id: z.string().max(300),
    private_metadata: z.string().max(3000),
    app_installed_team_id: id.nullish(),
    state: z.object({ values: z.record(z.string(), z.record(z.string(), InputState)) }),
  }),
});
export type ViewSubmission = z.infer<typeof ViewSubmission>;

export const Interaction = z.discriminatedUnion('type', [BlockActions, ViewSubmission]);
export type Interaction = z.infer<typeof Interaction>;

/** A slash command that somebody typed. */
export const SlashCommand = z.object({
  command: z.string().min(1).max(100),
  text: z.string().max(4000).default(''),
  user_id: id,
  user_name: name.optional(),
  team_id: id,
  enterprise_id: id.nullish(),
  channel_id: id,
  trigger_id: z.string().max(500).optional(),
  response_url: z.string().max(3000).optional(),
  api_app_id: id.optional(),
});
export type SlashCommand = z.infer<typeof SlashCommand>;

/** The envelope of an event. What is in the event depends on its type. */
export const EventCallback = z.object({
  type: z.literal('event_callback'),
  event_id: id,
  event_time: z.number().optional(),
  /** Of whoever did it; with Slack Connect it may be another workspace than ours. */
  team_id: id,
  enterprise_id: id.nullish(),
  api_app_id: id.optional(),
  /** For which installations of the app the event is. */
  authorizations: z
    .array(z.object({ team_id: id.nullish(), enterprise_id: id.nullish() }))
    .max(100)
    .nullish(),
  event: z.looseObject({ type: z.string().min(1).max(100) }),
});
export type EventCallback = z.infer<typeof EventCallback>;

/** What Slack posts once, to see whether an address for events is ours. */
export const UrlVerification = z.object({
  type: z.literal('url_verification'),
  challenge: z.string().min(1).max(1000),
});

/** Anything that says of what type it is. */
export const Typed = z.looseObject({ type: z.string() });
