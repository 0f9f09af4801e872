import { z } from 'zod';

/*
 * What Slack sends when somebody clicks or submits, as far as we use it. Nothing in it is trusted beyond who clicked
 * what: rights and state are looked up.
 */

const id = z.string().min(1).max(100);
const User = z.object({
  id,
  team_id: id.optional(),
  name: z.string().max(500).optional(),
  username: z.string().max(500).optional(),
});

const BlockActions = z.object({
  type: z.literal('block_actions'),
  user: User,
  team: z.object({ id }).nullish(),
  trigger_id: z.string().max(500),
  channel: z.object({ id }).nullish(),
  container: z.object({ message_ts: z.string().optional(), channel_id: id.optional() }).nullish(),
  actions: z
    .array(z.object({ action_id: z.string().max(300), value: z.string().max(2000).optional() }))
    .min(1),
});
export type BlockActions = z.infer<typeof BlockActions>;

const ViewSubmission = z.object({
  type: z.literal('view_submission'),
  user: User,
  team: z.object({ id }).nullish(),
  view: z.object({
    callback_id: z.string().max(300),
    private_metadata: z.string().max(3000),
    state: z.object({
      values: z.record(z.string(), z.record(z.string(), z.object({ value: z.string().nullish() }))),
    }),
  }),
});
export type ViewSubmission = z.infer<typeof ViewSubmission>;

export const Interaction = z.discriminatedUnion('type', [BlockActions, ViewSubmission]);
export type Interaction = z.infer<typeof Interaction>;

/** What a modal remembers between opening and submitting. */
export const ModalMemory = z.object({
  reviewId: z.uuid(),
  digest: z.string().length(64),
  outcome: z.string().min(1).max(60),
  channel: z.string().max(100).optional(),
});
export type ModalMemory = z.infer<typeof ModalMemory>;
