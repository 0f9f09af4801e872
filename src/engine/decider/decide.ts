import type { Instant } from '../../clock.js';
import type { Command, DeciderOutcome, WorkflowState } from '../model/command.js';
import { apply } from './commands.js';
import { sayNeeds } from './needs.js';
import { settle } from './settle.js';
import { Transition } from './transition.js';

/**
 * Says what should happen next to a workflow, and nothing about how.
 *
 * Pure: the same arguments give the same outcome, and `state` is never changed. Calling it again on its own result
 * changes nothing, so a crash between deciding and committing is repaired by deciding again. Commands are decided one
 * after the other, so it makes no difference how they were batched. Without commands it looks at the clock only.
 */
export function decide(state: WorkflowState, commands: readonly Command[], now: Instant): DeciderOutcome {
  const transition = new Transition(state, now);
  // Nearly always there is one, and nothing to compare it with.
  const seen = commands.length > 1 ? new Set<string>() : undefined;
  for (const command of commands) {
    if (seen?.has(command.commandId) === true) continue;
    seen?.add(command.commandId);
    apply(transition, command);
    settle(transition);
  }
  if (commands.length === 0) settle(transition);
  const onlyNew = commands.length > 0 && !commands.some(({ kind }) => kind === 'wake' || kind === 'resume');
  while (!sayNeeds(transition, onlyNew)) settle(transition);
  return transition.outcome();
}
