import { Link } from 'react-router-dom';
import type { WhyNotMoving } from '../api.js';
import { when } from '../format.js';

// A fork of hundreds would push the graph off the page.
const SHOWN = 4;
const MAX_SHOWN = 200;

/** Why a run does not move, one sentence per reason. */
export function Why({ reasons }: { reasons: readonly WhyNotMoving[] }) {
  const rest = reasons.slice(SHOWN);
  return (
    <section aria-label="Why it is not moving" className="notice quietly why">
      {reasons.slice(0, SHOWN).map((reason) => (
        <Reason key={`${reason.kind}:${reason.reference}`} reason={reason} />
      ))}
      {rest.length === 0 ? null : (
        <details>
          <summary>{rest.length} more</summary>
          {rest.slice(0, MAX_SHOWN).map((reason) => (
            <Reason key={`${reason.kind}:${reason.reference}`} reason={reason} />
          ))}
        </details>
      )}
    </section>
  );
}

function Reason({ reason }: { reason: WhyNotMoving }) {
  return (
    <p>
      {inWords(reason)}
      {reason.kind === 'person' ? (
        <>
          {' '}
          <Link to="/reviews">Open the reviews</Link>
        </>
      ) : null}
      {reason.childWorkflowId === undefined ? null : (
        <>
          {' '}
          <Link to={`/executions/${encodeURIComponent(reason.childWorkflowId)}`}>Open it</Link>
        </>
      )}
    </p>
  );
}

/** Says why it waits, as somebody who is asked would. */
export function inWords(reason: WhyNotMoving): string {
  const step = reason.reference ?? '';
  switch (reason.kind) {
    case 'ended':
      return 'It has ended.';
    case 'paused':
      return 'It is paused. Resume it to go on.';
    case 'lease':
      return `${step} is being worked on by ${reason.holder}, until ${when(reason.until)}.`;
    case 'timer':
      return `${step} waits for ${when(reason.at)}.`;
    case 'person':
      return `${step} waits for a person, since ${when(reason.since)}.`;
    case 'update':
      return `${step} waits for somebody to complete it, since ${when(reason.since)}.`;
    case 'script':
      return `${step} waits for its script to be evaluated, since ${when(reason.since)}.`;
    case 'child':
      return `${step} waits for the workflow that it started.`;
    case 'limit':
      return `${step} waits for its limit of tasks at once or per time.`;
    case 'no_worker':
      return `${step} waits for a worker of type ${reason.taskType}; none has asked for work since ${when(reason.since)}.`;
    case 'backlog':
      return `${step} waits for its turn; ${reason.ahead} of type ${reason.taskType} come before it.`;
    default:
      return `Nothing is known that it waits for. It is looked at again ${reason.nextCheckAt === undefined ? 'soon' : when(reason.nextCheckAt)}.`;
  }
}
