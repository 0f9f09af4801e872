import { z } from 'zod';

/*
 * What Slack sends when somebody clicks or submits, as far as we use it. Nothing in it is trusted beyond who clicked
 * what: rights and state are looked up.
 */

const id = z.string().min(1).max(100);

/** Who acted. `team_id` is that of the account: with Slack Connect it may be another workspace than ours. */
export const SlackUser = z.object({
  id,
  team_id: id.optional(),
  name: z.string().max(500).optional(),
  username: z.string().max(500).optional(),
});
export type SlackUser = z.infer<typeof SlackUser>;

const Option = z.object({ value: z.string().max(2000) });

export const BlockActions = z.object({
  type: z.literal('block_actions'),
  user: SlackUser,
  team: z.object({ id }).nullish(),
  api_app_id: id.optional(),
  trigger_id: z.string().max(500),
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
  team: z.object({ id }).nullish(),
  api_app_id: id.optional(),
  trigger_id: z.string().max(500).optional(),
  view: z.object({
    id: id.optional(),
    callback_id: z.string().max(300),
    private_metadata: z.string().max(3000),
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
  user_name: z.string().max(500).optional(),
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
  team_id: id,
  enterprise_id: id.nullish(),
  api_app_id: id.optional(),
  event: z.looseObject({ type: z.string().min(1).max(100) }),
});
export type EventCallback = z.infer<typeof EventCallback>;
