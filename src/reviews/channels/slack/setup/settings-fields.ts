import { z } from 'zod';
import { text } from '../../../request-fields.js';
import { APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, type TokenForm } from './token-forms.js';

const token = ({ form, wrong }: TokenForm, longest: number) =>
  z.string().trim().max(longest).regex(form, wrong);

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
    botToken: token(BOT_TOKEN, 500).nullable(),
    appToken: token(APP_TOKEN, 500).nullable(),
    signingSecret: token(SIGNING_SECRET, 300).nullable(),
    channel: ChannelId.nullable(),
  })
  .partial()
  .refine((patch) => Object.values(patch).some((value) => value !== undefined), 'must name something to set')
  .meta({ id: 'SlackSettingsPatch' });
export type SlackSettingsPatch = z.infer<typeof SlackSettingsPatch>;

export const SlackRouteWanted = z.strictObject({ channel: ChannelId }).meta({ id: 'SlackRouteWanted' });
