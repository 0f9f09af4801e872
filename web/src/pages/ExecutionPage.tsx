import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { Link, useParams, useSearchParams } from 'react-router-dom';
import { call, isOpen, moment, type Execution, type WhyNotMoving } from '../api.js';
import { Actions } from '../execution/Actions.js';
import { Step } from '../execution/Step.js';
import { useExecution } from '../execution/useExecution.js';
import { Whole } from '../execution/Whole.js';
import { Why } from '../execution/Why.js';
import { duration, when, visible } from '../format.js';
import { arrange } from '../graph/arrange.js';
import { ExecutionGraph } from '../graph/ExecutionGraph.js';
import { stepOf } from '../graph/layout.js';
import type { Liveness } from '../live/connection.js';
import { LiveBadge } from '../parts/LiveBadge.js';
import { Query } from '../parts/Query.js';
import { State } from '../parts/State.js';

/** One run: its graph, live, and beside it the chosen step. */
export function ExecutionPage() {
  const { id = '' } = useParams();
  const { execution, liveness } = useExecution(id);
  return <Query of={execution}>{(run) => <Run key={id} run={run} liveness={liveness} />}</Query>;
}

function Run({ run, liveness }: { run: Execution; liveness: Liveness }) {
  const [search, setSearch] = useSearchParams();
  const selected = search.get('task') ?? undefined;
  // The definition of a run never changes, though every fetch brings a new object of it.
  const definition = useMemo(() => JSON.stringify(run.workflowDefinition), [run.workflowDefinition]);
  const arrangement = useMemo(
    () => arrange(JSON.parse(definition) as Execution['workflowDefinition']),
    [definition],
  );
  const known = useMemo(() => new Set(arrangement.steps.map(({ id }) => id)), [arrangement]);
  const chosen = selected?.replace(/__again$/, '');
  const attempts =
    chosen === undefined ? [] : run.tasks.filter((task) => stepOf(task.referenceTaskName, known) === chosen);
  return (
    <section className="execution">
      <title>{`${visible(run.workflowName)} · Sallyport`}</title>
      <div className="heading">
        <h1>
          {run.workflowName} <span className="quiet">v{run.workflowVersion}</span>
        </h1>
        <State of={run.status} />
        <span className="quiet">
          {when(run.createTime)} · <Elapsed run={run} />
        </span>
        <span className="quiet mono">{run.workflowId}</span>
        <LiveBadge of={liveness} />
        <Actions run={run} />
      </div>
      {run.parentWorkflowId === undefined ? null : (
        <p>
          Started by <Link to={`/executions/${encodeURIComponent(run.parentWorkflowId)}`}>its parent</Link>.
        </p>
      )}
      {isOpen(run) ? <Reasons run={run} /> : null}
      <div className="split">
        <div className="canvas" data-testid="graph">
          <ExecutionGraph
            arrangement={arrangement}
            tasks={run.tasks}
            ended={run.status === 'COMPLETED'}
            selected={selected}
            onSelect={(ref) => setSearch(isEnd(ref) ? {} : { task: ref }, { replace: true })}
          />
        </div>
        <aside className="side" aria-label="Details">
          {chosen === undefined ? (
            <Whole run={run} />
          ) : (
            <Step key={chosen} name={chosen} attempts={attempts} />
          )}
        </aside>
      </div>
    </section>
  );
}

const isEnd = (id: string): boolean => id === '__start' || id === '__end' || id.includes('__lane_');

function Reasons({ run }: { run: Execution }) {
  const { data } = useQuery({
    queryKey: ['why', run.workflowId],
    queryFn: () =>
      call<{ why: readonly WhyNotMoving[] }>(`/api/v1/executions/${encodeURIComponent(run.workflowId)}/why`),
    initialData: { why: run.why },
    staleTime: Infinity,
  });
  return <Why reasons={data.why} />;
}

/** How long it took, or takes: counts by itself. */
function Elapsed({ run }: { run: Execution }) {
  const [now, setNow] = useState(() => Date.now());
  const runs = isOpen(run);
  useEffect(() => {
    if (!runs) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, [runs]);
  return duration(Math.max(0, (moment(run.endTime) ?? now) - run.createTime));
}
