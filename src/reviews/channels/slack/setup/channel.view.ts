import { z } from 'zod';
import { text } from '../../../request-fields.js';
import { ChannelId } from './settings-fields.js';
import type { SeenChannel } from './slack-channels.js';
import type { Probed } from './slack-probe.js';

export const ChannelsQuery = z.object({
  cursor: text(1000).optional(),
  name: text(100).min(1).optional().describe('Only those whose names hold it.'),
});

const SlackChannelItem = z.object({
  id: z.string(),
  name: z.string().nullable(),
  isPrivate: z.boolean(),
  isMember: z.boolean().describe('Whether the app is in it.'),
  trouble: z
    .object({ fact: z.string(), remedy: z.string() })
    .nullable()
    .describe('Why nothing can be posted there now.'),
});
export const SlackChannelList = z
  .object({ items: z.array(SlackChannelItem), nextCursor: z.string().nullable() })
  .meta({ id: 'SlackChannelList' });

export const channelView = ({
  id,
  name,
  isPrivate,
  isMember,
  trouble,
}: SeenChannel): z.infer<typeof SlackChannelItem> => ({
  id,
  name: name ?? null,
  isPrivate,
  isMember,
  trouble: trouble === undefined ? null : { fact: trouble.fact, remedy: trouble.remedy },
});

export const SlackRouteView = z
  .object({
    queue: z.string(),
    channel: z.string(),
    channelName: z.string().nullable(),
    warning: z
      .string()
      .nullable()
      .describe('That nothing sends reviews to this queue yet, as far as is known.'),
  })
  .meta({ id: 'SlackRoute' });

export const ProbeOrder = z
  .strictObject({
    channel: ChannelId,
    keep: z.boolean().default(false).describe('Leaves the message where it is.'),
  })
  .meta({ id: 'SlackProbeOrder' });

export const ProbeOutcome = z
  .object({
    channel: z.string(),
    posted: z.boolean(),
    removed: z.boolean(),
    durationMs: z.number(),
    reason: z.string().nullable().describe('Slack’s word for what was wrong.'),
    remedy: z.string().nullable(),
  })
  .meta({ id: 'SlackProbe' });

export const probeView = ({ reason, remedy, ...probed }: Probed): z.infer<typeof ProbeOutcome> => ({
  ...probed,
  reason: reason ?? null,
  remedy: remedy ?? null,
});
