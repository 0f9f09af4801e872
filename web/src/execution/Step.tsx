import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router-dom';
import { call, moment, type Task } from '../api.js';
import { duration, when } from '../format.js';
import { Json } from '../parts/Json.js';
import { State } from '../parts/State.js';

// A loop may have gone round a thousand times.
const SHOWN = 20;

/** A step with its attempts, and the iterations of its loop, the newest open and on top. */
export function Step({ name, attempts }: { name: string; attempts: readonly Task[] }) {
  const [showsAll, setShowsAll] = useState(false);
  const newestFirst = attempts.toReversed();
  const shown = showsAll ? newestFirst : newestFirst.slice(0, SHOWN);
  return (
    <>
      <h2>{name}</h2>
      {attempts.length === 0 ? <p className="quiet">Not reached in this run.</p> : null}
      {shown.map((task, index) => (
        <Attempt key={task.taskId} task={task} isOnly={attempts.length === 1} isOpen={index === 0} />
      ))}
      {shown.length < attempts.length ? (
        <button type="button" onClick={() => setShowsAll(true)}>
          Show {attempts.length - shown.length} older
        </button>
      ) : null}
    </>
  );
}

function Attempt({ task, isOnly, isOpen }: { task: Task; isOnly: boolean; isOpen: boolean }) {
  const [wasOpened, setWasOpened] = useState(isOpen);
  if (isOnly) {
    return (
      <article className="attempt">
        <p>
          <State of={task.status} />
        </p>
        <Facts task={task} />
      </article>
    );
  }
  return (
    <details
      className="attempt"
      open={wasOpened}
      onToggle={(event) => setWasOpened(event.currentTarget.open)}
      data-testid={`attempt-${task.taskId}`}
    >
      <summary>
        <State of={task.status} /> <span className="quiet">{numberOf(task)}</span>
      </summary>
      {wasOpened ? <Facts task={task} /> : null}
    </details>
  );
}

const numberOf = ({ iteration, retryCount, taskType }: Task): string =>
  [
    iteration > 0 && taskType !== 'DO_WHILE' ? `iteration ${iteration}` : '',
    iteration === 0 || retryCount > 0 || taskType === 'DO_WHILE' ? `attempt ${retryCount + 1}` : '',
  ]
    .filter(Boolean)
    .join(', ');

function Facts({ task }: { task: Task }) {
  const { inputData, outputData } = usePayloads(task);
  const began = moment(task.startTime);
  const ended = moment(task.endTime);
  return (
    <>
      {task.reasonForIncompletion === undefined ? null : (
        <p className="problem">{task.reasonForIncompletion}</p>
      )}
      {task.subWorkflowId === undefined ? null : (
        <p>
          <Link to={`/executions/${encodeURIComponent(task.subWorkflowId)}`}>
            The workflow that it started
          </Link>
        </p>
      )}
      <dl>
        <dt>Scheduled</dt>
        <dd>{when(task.scheduledTime)}</dd>
        {task.queued === true && (task.dueAt ?? 0) > task.scheduledTime ? (
          <>
            <dt>Handed out</dt>
            <dd>not before {when(task.dueAt)}</dd>
          </>
        ) : null}
        <dt>Waited</dt>
        <dd>{began === undefined ? '–' : duration(Math.max(0, began - task.scheduledTime))}</dd>
        <dt>Ran</dt>
        <dd>{ended === undefined ? '–' : duration(ended - (began ?? task.scheduledTime))}</dd>
        {task.taskType === 'DO_WHILE' ? (
          <>
            <dt>Iteration</dt>
            <dd>{task.iteration}</dd>
          </>
        ) : null}
        <dt>Worker</dt>
        <dd className="mono">{task.workerId ?? '–'}</dd>
        {task.lease === undefined || task.lease === null ? null : (
          <>
            <dt>Held until</dt>
            <dd>
              {when(task.lease.until)}
              {task.lease.owner === undefined ? '' : ', by this service'}
            </dd>
          </>
        )}
        <dt>Type</dt>
        <dd>{task.taskType}</dd>
        <dt>Task id</dt>
        <dd className="mono">{task.taskId}</dd>
      </dl>
      <Json label="Input" value={inputData} />
      <Json label="Output" value={outputData} />
    </>
  );
}

/** As they came with the whole, or asked for once after each change: events carry no payloads. */
function usePayloads(task: Task): Pick<Task, 'inputData' | 'outputData'> {
  const fresh = useQuery({
    queryKey: ['task', task.taskId, task.status, task.updateTime],
    queryFn: () => call<Task>(`/api/tasks/${encodeURIComponent(task.taskId)}`),
    enabled: task.isStale === true,
    staleTime: Infinity,
    placeholderData: keepPreviousData,
  });
  return task.isStale === true && fresh.data !== undefined ? fresh.data : task;
}
