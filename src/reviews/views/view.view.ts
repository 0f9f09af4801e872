import { z } from 'zod';
import { displayed } from '../../access/names.js';
import { text } from '../request-fields.js';
import { REVIEW_STATES } from '../rules/review.js';
import { REVIEW_ORDERS } from '../sql/list-reviews.js';
import type { StoredView } from '../sql/views.js';

export const VIEW_COLUMNS = [
  'object',
  'verdict',
  'risk',
  'findings',
  'state',
  'queue',
  'due',
  'opened',
  'case',
] as const;

/** What a view lists, as `GET /api/v1/reviews` takes it, and how it is shown. */
export const ViewSpec = z
  .strictObject({
    /** Empty: all. `WAITING` is all in which somebody can still decide. */
    states: z
      .array(z.enum([...REVIEW_STATES, 'WAITING']))
      .max(20)
      .default([]),
    view: z.enum(['mine', 'asked', 'unassigned', 'breached']).nullable().default(null),
    queue: text(100).nullable().default(null),
    q: text(200).default(''),
    sort: z.enum(REVIEW_ORDERS).default('created'),
    columns: z
      .array(z.enum(VIEW_COLUMNS))
      .min(1)
      .max(VIEW_COLUMNS.length)
      .refine((names) => new Set(names).size === names.length, 'names a column twice')
      .default(['object', 'verdict', 'findings', 'state', 'due', 'opened']),
  })
  .meta({ id: 'ReviewViewSpec' });
export type ViewSpec = z.infer<typeof ViewSpec>;

const Shared = z
  .union([
    z.strictObject({ with: z.literal('everybody') }),
    z.strictObject({ with: z.literal('group'), group: text(200).min(1) }),
  ])
  .nullable();

export const ViewRequest = z
  .strictObject({
    name: displayed(60),
    /** Whom it is shown to beside its owner; null: nobody. */
    shared: Shared.default(null),
    spec: ViewSpec,
  })
  .meta({ id: 'ReviewViewRequest' });
export type ViewRequest = z.infer<typeof ViewRequest>;

export const ViewChange = ViewRequest.extend({
  /** Of what was shown; a change of another one is refused. */
  version: z.int().min(1),
}).meta({ id: 'ReviewViewChange' });
export type ViewChange = z.infer<typeof ViewChange>;

export const ReviewView = z
  .object({
    id: z.string(),
    name: z.string(),
    owner: z.object({ id: z.string(), name: z.string() }),
    isMine: z.boolean(),
    shared: Shared,
    spec: ViewSpec,
    version: z.int(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'ReviewView' });
export type ReviewView = z.infer<typeof ReviewView>;

export const ReviewViewList = z.object({ items: z.array(ReviewView) }).meta({ id: 'ReviewViewList' });

export const sharedText = (shared: ViewRequest['shared']): string | undefined =>
  shared === null ? undefined : shared.with === 'everybody' ? 'everybody' : groupShare(shared.group);

export const groupShare = (name: string): string => `group:${name}`;

export const viewOf = (view: StoredView<ViewSpec>, principalId: string): ReviewView => ({
  id: view.id,
  name: view.name,
  owner: view.owner,
  isMine: view.owner.id === principalId,
  shared:
    view.sharedWith === undefined
      ? null
      : view.sharedWith === 'everybody'
        ? { with: 'everybody' }
        : { with: 'group', group: view.sharedWith.slice(groupShare('').length) },
  spec: view.spec,
  version: view.version,
  updatedAt: new Date(view.updatedAt).toISOString(),
});
