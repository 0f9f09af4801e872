import { troubleOf } from './trouble.js';

/** Whether an error says that PostgreSQL cannot be reached or cannot serve now, so that the same call may succeed later. */
export const isDatabaseAway = (error: unknown): boolean => troubleOf(error) !== undefined;
