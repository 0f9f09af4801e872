import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useParams, useSearchParams } from 'react-router-dom';
import { call, moment, type Execution, type Task, type WhyNotMoving } from '../api.js';
import { duration, when } from '../format.js';
import { ExecutionGraph } from '../graph/ExecutionGraph.js';
import { Json } from '../parts/Json.js';
import { Query } from '../parts/Query.js';
import { State } from '../parts/State.js';

const OPEN = ['RUNNING', 'PAUSED'];

/** One run: its graph, live, and beside it the chosen step. */
export function ExecutionPage() {
  const { id = '' } = useParams();
  const execution = useQuery({
    queryKey: ['execution', id],
    queryFn: () => call<Execution>(`/api/v1/executions/${encodeURIComponent(id)}`),
    refetchInterval: (query) =>
      query.state.data === undefined || OPEN.includes(query.state.data.status) ? 1000 : false,
  });
  return <Query of={execution}>{(run) => <Run run={run} />}</Query>;
}

function Run({ run }: { run: Execution }) {
  const [search, setSearch] = useSearchParams();
  const selected = search.get('task') ?? undefined;
  const attempts = run.tasks.filter((task) => task.referenceTaskName === selected);
  return (
    <section className="execution">
      <div className="heading">
        <h1>
          {run.workflowName} <span className="quiet">v{run.workflowVersion}</span>
        </h1>
        <State of={run.status} />
        <span className="quiet">
          {when(run.createTime)} · {duration((moment(run.endTime) ?? Date.now()) - run.createTime)}
        </span>
        <span className="quiet mono">{run.workflowId}</span>
        <Actions run={run} />
      </div>
      <Why run={run} />
      <div className="split">
        <div className="canvas" data-testid="graph">
          <ExecutionGraph
            def={run.workflowDefinition}
            tasks={run.tasks}
            ended={run.status === 'COMPLETED'}
            selected={selected}
            onSelect={(ref) => setSearch(ref.startsWith('__') ? {} : { task: ref }, { replace: true })}
          />
        </div>
        <aside className="side" aria-label="Details">
          {selected === undefined ? <Whole run={run} /> : <Step refName={selected} attempts={attempts} />}
        </aside>
      </div>
    </section>
  );
}

function Why({ run }: { run: Execution }) {
  if (!OPEN.includes(run.status)) return null;
  return run.why.map((reason) => (
    <p key={`${reason.kind}:${reason.reference}`} className="notice quietly">
      {inWords(reason)}
      {reason.kind === 'person' ? (
        <>
          {' '}
          <Link to="/">Open the reviews</Link>
        </>
      ) : null}
    </p>
  ));
}

/** Says why it waits, as somebody who is asked would. */
function inWords(reason: WhyNotMoving): string {
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
    case 'no_worker':
      return `${step} waits for a worker of type ${reason.taskType}; none has asked for work since ${when(reason.since)}.`;
    case 'backlog':
      return `${step} waits for its turn: ${reason.waiting} tasks of type ${reason.taskType} are before or with it.`;
    default:
      return `Nothing is known that it waits for. It is looked at again ${reason.nextCheckAt === undefined ? 'soon' : when(reason.nextCheckAt)}.`;
  }
}

function Actions({ run }: { run: Execution }) {
  const client = useQueryClient();
  const act = useMutation({
    mutationFn: ({ method, path }: { method: string; path: string }) =>
      call(`/api/workflow/${run.workflowId}${path}`, { method }),
    onSettled: () => client.invalidateQueries({ queryKey: ['execution', run.workflowId] }),
  });
  const [asking, setAsking] = useState(false);
  const button = (label: string, method: string, path: string) => (
    <button type="button" disabled={act.isPending} onClick={() => act.mutate({ method, path })}>
      {label}
    </button>
  );
  return (
    <span className="actions">
      {run.status === 'RUNNING' ? button('Pause', 'PUT', '/pause') : null}
      {run.status === 'PAUSED' ? button('Resume', 'PUT', '/resume') : null}
      {['FAILED', 'TIMED_OUT', 'TERMINATED'].includes(run.status) ? button('Retry', 'POST', '/retry') : null}
      {OPEN.includes(run.status) && !asking ? (
        <button type="button" onClick={() => setAsking(true)}>
          Terminate…
        </button>
      ) : null}
      {asking && OPEN.includes(run.status) ? (
        <>
          <button
            type="button"
            className="danger"
            onClick={() => act.mutate({ method: 'DELETE', path: '?reason=terminated%20in%20the%20web%20UI' })}
          >
            Terminate now
          </button>
          <button type="button" onClick={() => setAsking(false)}>
            Keep it
          </button>
        </>
      ) : null}
      {act.error === null ? null : (
        <span className="problem" role="alert">
          {act.error.message}
        </span>
      )}
    </span>
  );
}

function Whole({ run }: { run: Execution }) {
  return (
    <>
      <h2>The run</h2>
      <p className="quiet">Choose a step to see its input, output, attempts and times.</p>
      {run.reasonForIncompletion === undefined ? null : (
        <p className="problem">{run.reasonForIncompletion}</p>
      )}
      {run.correlationId === undefined ? null : (
        <p>
          Object: <Link to={`/objects/${run.correlationId}`}>its story</Link>
        </p>
      )}
      <Json label="Input" value={run.input} />
      <Json label="Output" value={run.output} />
      <Json label="Variables" value={run.variables} />
    </>
  );
}

function Step({ refName, attempts }: { refName: string; attempts: readonly Task[] }) {
  return (
    <>
      <h2>{refName}</h2>
      {attempts.length === 0 ? <p className="quiet">Not reached in this run.</p> : null}
      {attempts.toReversed().map((task) => (
        <article key={task.taskId} className="attempt">
          <p>
            <State of={task.status} />{' '}
            {attempts.length > 1 ? <span className="quiet">attempt {task.retryCount + 1}</span> : null}
          </p>
          {task.reasonForIncompletion === undefined ? null : (
            <p className="problem">{task.reasonForIncompletion}</p>
          )}
          <dl>
            <dt>Scheduled</dt>
            <dd>{when(task.scheduledTime)}</dd>
            <dt>Waited</dt>
            <dd>
              {moment(task.startTime) === undefined
                ? '–'
                : duration((moment(task.startTime) ?? 0) - task.scheduledTime)}
            </dd>
            <dt>Ran</dt>
            <dd>
              {moment(task.endTime) === undefined
                ? '–'
                : duration((moment(task.endTime) ?? 0) - (moment(task.startTime) ?? task.scheduledTime))}
            </dd>
            <dt>Worker</dt>
            <dd className="mono">{task.workerId ?? '–'}</dd>
            <dt>Type</dt>
            <dd>{task.taskType}</dd>
            <dt>Task id</dt>
            <dd className="mono">{task.taskId}</dd>
          </dl>
          <Json label="Input" value={task.inputData} />
          <Json label="Output" value={task.outputData} />
        </article>
      ))}
    </>
  );
}
