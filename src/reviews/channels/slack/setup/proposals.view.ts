import { z } from 'zod';
import { text } from '../../../request-fields.js';

export const ProposalsQuery = z.object({ cursor: text(200).min(1).optional() });

export const ProposalsOrder = z
  .strictObject({
    cursor: text(200).min(1).optional().describe('As the last answer said: goes on behind it.'),
    again: z
      .boolean()
      .default(false)
      .describe(
        'Also whoever has a proposal that is open still and is a day old; the older link works no more.',
      ),
  })
  .meta({ id: 'SlackProposalsOrder' });

export const STANDS = [
  'linked',
  'proposed',
  'open',
  'no_address',
  'not_found',
  'refused',
  'failed',
  'none',
] as const;

export const Proposal = z
  .object({
    person: z.object({ id: z.string(), name: z.string() }),
    state: z
      .enum(STANDS)
      .describe(
        'linked: has an account; proposed: asked just now; open: asked before, not confirmed yet; refused: the account may not decide; none: not asked (any more).',
      ),
    slackUserId: z.string().nullable(),
    slackUserName: z.string().nullable(),
    detail: z.string().nullable(),
    proposedAt: z.string().nullable(),
  })
  .meta({ id: 'SlackProposal' });
export type Proposal = z.infer<typeof Proposal>;

export const ProposalList = z
  .object({
    items: z.array(Proposal),
    nextCursor: z.string().nullable().describe('There are more people: ask again with it.'),
  })
  .meta({ id: 'SlackProposalList' });
export type ProposalList = z.infer<typeof ProposalList>;
