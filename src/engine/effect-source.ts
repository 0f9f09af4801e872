import type { Effect } from './model/command.js';

/**
 * What tells a workflow's effects of one kind on one target apart: the same effect again has the same source, and is
 * stored once. A failure workflow has an id of its own per failure.
 */
export function sourceTaskOf(effect: Effect): string {
  switch (effect.kind) {
    case 'startWorkflow':
      return effect.parent?.taskId ?? '';
    case 'terminateChild':
      return effect.taskId;
    case 'childEnded':
      return `${effect.taskId}/${effect.endTime}`;
    case 'childRetried':
      return `${effect.taskId}/${effect.retriedAt}`;
    default:
      return effect satisfies never;
  }
}
