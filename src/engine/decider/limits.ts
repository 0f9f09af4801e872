/** System tasks gone through in one transition; what is left is for the next one. */
export const MAX_PURE_STEPS = 1000;
/** Steps inside steps inside steps. */
export const MAX_NESTING_DEPTH = 50;
/** Iterations of one DO_WHILE; more is a loop that was meant to end, or work for sub-workflows. */
export const MAX_ITERATIONS = 10_000;
/** Rows of one workflow beyond which no loop goes on. */
export const MAX_LOOPED_ROWS = 100_000;
/** Workflows inside workflows inside workflows. */
export const MAX_WORKFLOW_DEPTH = 50;
/** Steps of one definition. */
export const MAX_STEPS = 10_000;
