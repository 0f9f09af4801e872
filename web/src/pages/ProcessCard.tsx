import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router-dom';
import { call } from '../api.js';
import { count, duration, visible } from '../format.js';
import { Query } from '../parts/Query.js';

// Of thousands of executions: its numbers need not be of this minute.
const EVERY_MS = 300_000;
const FEW = 8;

interface WorkflowFigures {
  readonly workflow: string;
  readonly version: number;
  readonly started: number;
  readonly completed: number;
  readonly p50Seconds: number | null;
  readonly p90Seconds: number | null;
  readonly slaSeconds: number | null;
  readonly beyondSla: number | null;
  readonly failureRate: number | null;
  readonly costliestStep: string | null;
}

interface ProcessFigures {
  readonly oneIn: number;
  readonly workflows: readonly WorkflowFigures[];
}

/** How the executions of seven days went, one line for each definition, those that were started most often first. */
export function ProcessCard() {
  const figures = useQuery({
    queryKey: ['process-this-week'],
    queryFn: () => call<ProcessFigures>('/api/v1/process/figures'),
    refetchInterval: EVERY_MS,
    staleTime: EVERY_MS / 5,
  });
  return (
    <section className="card" aria-labelledby="process">
      <h2 id="process">Process, 7 days</h2>
      <Query of={figures}>{(data) => <Table {...data} />}</Query>
    </section>
  );
}

function Table({ workflows, oneIn }: ProcessFigures) {
  if (workflows.length === 0) return <p className="quiet">Nothing was started within seven days.</p>;
  const most = workflows.toSorted((a, b) => b.started - a.started).slice(0, FEW);
  return (
    <>
      <table>
        <thead>
          <tr>
            <th scope="col">Workflow</th>
            <th scope="col" className="number">
              Completed
            </th>
            <th scope="col" className="number" title="Half, and nine of ten, took no longer">
              Took
            </th>
            <th scope="col" className="number" title="Beyond metadata.slaSeconds of the definition">
              Beyond SLA
            </th>
            <th scope="col" className="number">
              Failed
            </th>
            <th scope="col">Costliest step</th>
          </tr>
        </thead>
        <tbody>
          {most.map((one) => (
            <Line key={`${one.workflow} ${one.version}`} of={one} />
          ))}
        </tbody>
      </table>
      {oneIn === 1 ? null : <p className="quiet">There are many: one in {oneIn} was looked at.</p>}
    </>
  );
}

const took = (seconds: number | null): string => duration(seconds === null ? undefined : seconds * 1000);

function Line({ of: one }: { of: WorkflowFigures }) {
  return (
    <tr>
      <td>
        <Link className="bare" to={`/executions?name=${encodeURIComponent(one.workflow)}`}>
          {visible(one.workflow)}
        </Link>{' '}
        <span className="quiet">{one.version}</span>
      </td>
      <td className="number">{count(one.completed)}</td>
      <td className="number">
        {took(one.p50Seconds)} / {took(one.p90Seconds)}
      </td>
      <td className="number">
        {one.beyondSla === null ? '–' : `${count(one.beyondSla)} (${took(one.slaSeconds)})`}
      </td>
      <td className="number">{one.failureRate === null ? '–' : `${(one.failureRate * 100).toFixed(1)} %`}</td>
      <td>{one.costliestStep === null ? '–' : visible(one.costliestStep)}</td>
    </tr>
  );
}
