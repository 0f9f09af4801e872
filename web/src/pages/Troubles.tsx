import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link } from 'react-router-dom';
import { call, type Page, type WorkflowSummary } from '../api.js';
import type { Run } from '../backfills.js';
import { count, visible } from '../format.js';
import { Problem } from '../parts/Problem.js';
import { State } from '../parts/State.js';
import { eventQueuesQuery, queueQuery, queueWords, type Reject } from '../queue.js';

// Beyond so many it is enough to know that there are more.
const MOST = 50;
const WEEK_MS = 7 * 24 * 3_600_000;

/** What fails, and what somebody holds back: each with the way to where it is mended. */
export function Troubles({ everyMs }: { everyMs: number }) {
  const again = { refetchInterval: everyMs };
  const queue = useQuery({ ...queueQuery, ...again });
  const eventQueues = useQuery(eventQueuesQuery);
  const failed = useQuery({
    queryKey: ['overview', 'failed'],
    queryFn: () =>
      call<Page<WorkflowSummary>>(
        `/api/v1/executions?status=FAILED,TIMED_OUT&from=${Date.now() - WEEK_MS}&limit=${MOST}`,
      ),
    ...again,
  });
  const paused = useQuery({
    queryKey: ['overview', 'paused'],
    queryFn: () => call<Page<WorkflowSummary>>(`/api/v1/executions?status=PAUSED&limit=${MOST}`),
    ...again,
  });
  const rejects = useQuery({
    queryKey: ['overview', 'rejects'],
    queryFn: () => call<Page<Reject>>(`/api/v1/rejects?limit=${MOST}`),
    ...again,
  });
  const runs = useQuery({ queryKey: ['overview', 'runs'], queryFn: unhappyRuns, ...again });
  const all = [queue, eventQueues, failed, paused, rejects, runs];
  const lines: ReactNode[] = [];
  const say = (key: string, state: string, to: string, words: ReactNode): void => {
    lines.push(
      <li key={key}>
        <State of={state} /> <Link to={to}>{words}</Link>
      </li>,
    );
  };
  if ((queue.data?.dead ?? 0) > 0) {
    say('dead', 'fail', '/queue?state=dead', `${count(queue.data?.dead ?? 0)} could not be started`);
  }
  if (some(failed.data)) {
    say('failed', 'fail', '/executions?status=FAILED', `${many(failed.data)} within a week: executions`);
  }
  for (const { name, problem, deadLetters } of eventQueues.data?.items ?? []) {
    if (problem !== null) say(`queue ${name}`, 'fail', '/buckets', `event queue ${visible(name)}`);
    if ((deadLetters ?? 0) > 0) {
      say(
        `letters ${name}`,
        'fail',
        '/buckets',
        `${count(deadLetters ?? 0)} dead letters of ${visible(name)}`,
      );
    }
  }
  if (some(rejects.data)) {
    say('rejects', 'warn', '/queue', `${many(rejects.data)} events that could not be used`);
  }
  for (const run of runs.data ?? []) {
    say(run.id, run.state, `/backfills/${run.id}`, `${run.kind} of ${visible(run.bucket ?? 'every bucket')}`);
  }
  for (const pause of queue.data?.pauses ?? []) {
    say(`pause ${pause.queue}`, 'paused', '/queue', `the queue of ${visible(queueWords(pause))}`);
  }
  if (some(paused.data)) {
    say('paused', 'paused', '/executions?status=PAUSED', `${many(paused.data)} executions`);
  }
  return (
    <section className="card" aria-labelledby="troubles">
      <h2 id="troubles">Fails or is held</h2>
      {all.map(({ error }, index) => (
        <Problem key={index} error={error} />
      ))}
      {lines.length > 0 ? <ul className="plain">{lines}</ul> : null}
      {lines.length === 0 && all.every(({ data }) => data !== undefined) ? (
        <p className="quiet">Nothing fails, and nobody holds anything back.</p>
      ) : null}
    </section>
  );
}

async function unhappyRuns(): Promise<readonly Run[]> {
  const pages = await Promise.all(
    ['failed', 'paused'].map((state) => call<Page<Run>>(`/api/v1/backfills?state=${state}&limit=5`)),
  );
  return pages.flatMap(({ items }) => items);
}

const some = (page: Page<unknown> | undefined): page is Page<unknown> => (page?.items.length ?? 0) > 0;

const many = ({ items, nextCursor }: Page<unknown>): string =>
  `${count(items.length)}${nextCursor === undefined || nextCursor === null ? '' : ' or more'}`;
