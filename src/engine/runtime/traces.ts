/**
 * Which trace (W3C `traceparent`) goes on where. `brought` is what the workflow's start came in with, which is all that
 * is ever stored of a trace.
 */
export interface Traces {
  /** For whoever runs this task. */
  ofTask(
    task: { readonly taskId: string; readonly workflowInstanceId: string },
    brought?: string,
  ): string | undefined;
  /** For a workflow that this one starts: on behalf of a task, or (failure workflows) of the whole. */
  following(
    source: { readonly workflowId: string; readonly taskId?: string | undefined },
    brought?: string,
  ): string | undefined;
}

/** Without spans of our own a trace goes through unchanged: nobody would know the ids that we put in between. */
export const PASS_ON: Traces = {
  ofTask: (_, brought) => brought,
  following: (_, brought) => brought,
};
