/** System tasks gone through in one transition; what is left is for the next one. */
export const MAX_PURE_STEPS = 1000;
/** Steps inside steps inside steps. */
export const MAX_NESTING_DEPTH = 50;
/** Steps of one definition. */
export const MAX_STEPS = 10_000;
