import { z } from 'zod';
import { text } from '../request-fields.js';
import { HUMAN_TASK_STATES, USER_TYPES } from './human-task.view.js';

/** Most tasks in one answer. */
export const PAGE_SIZE_LIMIT = 100;
const MAX_START = 10_000;

const names = z.array(text(255)).max(100).nullish();
const users = z
  .array(z.object({ userType: z.enum(USER_TYPES), user: text(200).min(1) }))
  .max(100)
  .nullish();
// What Orkes evaluates over inputs and outputs there is no language for here: refused, rather than answered wrongly.
const noQuery = z
  .string()
  .nullish()
  .refine((value) => (value ?? '').trim() === '', 'is not taken; filter what comes back');

/** A search as Orkes' clients send it; what is empty or absent filters nothing. */
export const HumanTaskSearch = z
  .object({
    searchType: z.enum(['ADMIN', 'INBOX']).nullish(),
    states: z.array(z.enum(HUMAN_TASK_STATES)).max(20).nullish(),
    assignees: users,
    claimants: users,
    definitionNames: names,
    displayNames: names,
    taskRefNames: names,
    workflowIds: names,
    workflowNames: names,
    fullTextQuery: text(200).nullish(),
    taskInputQuery: noQuery,
    taskOutputQuery: noQuery,
    /** Milliseconds; last changed from then on, and until before. */
    updateStartTime: z.number().int().min(0).nullish(),
    updateEndTime: z.number().int().min(0).nullish(),
    start: z.number().int().min(0).max(MAX_START).nullish(),
    size: z.number().int().min(1).max(PAGE_SIZE_LIMIT).nullish(),
  })
  .meta({ id: 'HumanTaskSearch' });
export type HumanTaskSearch = z.infer<typeof HumanTaskSearch>;
