import { z } from 'zod';
import { text } from '../../../request-fields.js';

/** Signing secrets at the same time: the old one, the new one, and a mistake. */
export const MAX_SIGNING_SECRETS = 3;

const token = (prefix: 'xoxb' | 'xapp', remedy: string) =>
  z
    .string()
    .trim()
    .max(500)
    // The message never repeats what was sent: it may be a secret of another kind.
    .regex(
      new RegExp(`^${prefix}-[A-Za-z0-9-]{10,}$`),
      `must begin with ${prefix}- and hold letters, digits and -: ${remedy}`,
    );

/** A channel by its id. Names are not taken: they change, and Slack finds nothing by them. */
export const ChannelId = z
  .string()
  .regex(
    /^[CG][A-Z0-9]{2,29}$/,
    'must be the id of a channel, as C0123456789: Slack shows it at the end of the channel’s details',
  );

/** A route's queue as it may stand, also from before names were looked at. */
export const RoutedQueue = text(100).min(1);

/** What may be stored; `null` removes what is stored, what is left out stays. */
export const SlackSettingsPatch = z
  .strictObject({
    botToken: token('xoxb', 'copy the Bot User OAuth Token from OAuth & Permissions').nullable(),
    appToken: token(
      'xapp',
      'make one with connections:write under Basic Information, App-Level Tokens',
    ).nullable(),
    signingSecret: z
      .string()
      .trim()
      .max(300)
      .regex(
        new RegExp(`^[A-Za-z0-9]{16,}( *, *[A-Za-z0-9]{16,}){0,${MAX_SIGNING_SECRETS - 1}}$`),
        `must be the Signing Secret from Basic Information; at most ${MAX_SIGNING_SECRETS} with commas between them, while one replaces another`,
      )
      .nullable(),
    channel: ChannelId.nullable(),
  })
  .partial()
  .refine((patch) => Object.values(patch).some((value) => value !== undefined), 'must name something to set')
  .meta({ id: 'SlackSettingsPatch' });
export type SlackSettingsPatch = z.infer<typeof SlackSettingsPatch>;

export const SlackRouteWanted = z.strictObject({ channel: ChannelId }).meta({ id: 'SlackRouteWanted' });
