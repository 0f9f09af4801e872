/** What the two do that the other does not, printed beside every comparison: ratios alone would mislead. */
export const DIFFERENCES: readonly string[] = [
  '',
  'What DBOS does here that we do not: it commits every step by itself, so a step is on disk before its own caller',
  'goes on, whatever else runs; it needs no definition (the workflow is a function, which it can start, wait for and',
  'debug as such, with messages and streams from within); and it indexes executions by more attributes (queue,',
  'executor, application version, authenticated user).',
  '',
  'What we do here that DBOS does not: each task is a row with type, attempts, lease, poll count, input, output and',
  "the times when it was scheduled, started and ended, readable and searchable while it runs (DBOS keeps a step's",
  'output and times once it has ended); tasks have leases and can be run by workers in any language over HTTP, with',
  'retries, time-outs and priorities per task type, fair between workflows; the definition that a run began with is',
  'kept with it; any node may take any command; and everything that a transition changes is one transaction, many',
  'workflows in one commit. That group commit is most of the ratio at 500 at a time; with one workflow at a time (the',
  'row start → completed) it does not help.',
];
