import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '../api.js';
import { count, duration, size, visible, when } from '../format.js';
import { Problem } from '../parts/Problem.js';
import { Query } from '../parts/Query.js';
import { State } from '../parts/State.js';
import { useMay } from '../parts/useSession.js';
import {
  nameOf,
  oldestWaitMs,
  queueQuery,
  queueWords,
  type Pause,
  type Queue,
  type QueueSummary,
} from '../queue.js';
import { QueueItems } from './QueueItems.js';
import { Rejects } from './Rejects.js';

/** What waits for its scan, what could not start, and what no source could make understood. */
export function QueuePage() {
  const summary = useQuery({ ...queueQuery, refetchInterval: 3_000 });
  return (
    <section>
      <title>Queue · Sallyport</title>
      <h1>Queue</h1>
      <Query of={summary}>
        {(data) => (
          <>
            <Tiles summary={data} />
            <Pauses pauses={data.pauses} />
            <Queues summary={data} />
          </>
        )}
      </Query>
      <QueueItems />
      <Rejects />
    </section>
  );
}

function Tiles({ summary }: { summary: QueueSummary }) {
  return (
    <div className="tiles">
      <div className="tile">
        <strong>{count(summary.waiting)}</strong> waiting
      </div>
      <div className="tile">
        <strong>{duration(oldestWaitMs(summary))}</strong> the oldest waits
      </div>
      <div className="tile">
        <strong>{count(summary.running)}</strong> running of {count(summary.maxRunning)} at most
      </div>
      <div className="tile">
        <strong>{count(summary.dead)}</strong> dead letters
      </div>
    </div>
  );
}

/** Asks for pauses and their end. */
function usePause() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ verb, body }: { verb: 'pause' | 'resume'; body: Record<string, string> }) =>
      call(`/api/v1/queue/${verb}`, { method: 'POST', body }),
    onSettled: () => client.invalidateQueries({ queryKey: ['queue'] }),
  });
}

function Pauses({ pauses }: { pauses: readonly Pause[] }) {
  const maySteer = useMay('operator');
  const pause = usePause();
  const [reason, setReason] = useState('');
  const isStopped = pauses.some(({ bucket, source }) => bucket === null && source === null);
  const stop = (): void => {
    const body: Record<string, string> = reason.trim() === '' ? {} : { reason: reason.trim() };
    pause.mutate({ verb: 'pause', body }, { onSuccess: () => setReason('') });
  };
  return (
    <>
      <Problem error={pause.error} />
      {pauses.map((one) => (
        <p key={one.queue} className="notice quietly">
          <State of="paused" /> {queueWords(one)} since {when(one.pausedAt)}, by {one.pausedBy}
          {one.reason === null ? '' : `: ${visible(one.reason)}`}.{' '}
          {maySteer ? (
            <button
              type="button"
              className="plain"
              disabled={pause.isPending}
              aria-label={`Resume ${queueWords(one)}`}
              onClick={() => pause.mutate({ verb: 'resume', body: nameOf(one) })}
            >
              Resume
            </button>
          ) : null}
        </p>
      ))}
      {maySteer && !isStopped ? (
        <form
          className="filters"
          onSubmit={(event) => {
            event.preventDefault();
            stop();
          }}
        >
          <label>
            Why everything is to stop
            <input value={reason} onChange={(event) => setReason(event.target.value)} />
          </label>
          <button type="submit" className="low" disabled={pause.isPending}>
            Pause everything
          </button>
        </form>
      ) : null}
    </>
  );
}

function Queues({ summary: { queues, pauses } }: { summary: QueueSummary }) {
  const maySteer = useMay('operator');
  const pause = usePause();
  if (queues.length === 0) return <p className="quiet">Nothing waits and nothing runs.</p>;
  return (
    <>
      <Problem error={pause.error} />
      <table>
        <thead>
          <tr>
            <th scope="col">Queue</th>
            <th scope="col">State</th>
            <th scope="col" className="number">
              Waiting
            </th>
            <th scope="col" className="number">
              Oldest
            </th>
            <th scope="col" className="number">
              Running
            </th>
            <th scope="col" className="number">
              Dead letters
            </th>
            {maySteer ? <th scope="col">Change</th> : null}
          </tr>
        </thead>
        <tbody>
          {queues.map((queue) => (
            <tr key={`${queue.endpointId}/${queue.bucket}/${queue.source}`}>
              <td>
                {queueWords(queue)}
                <div className="quiet">{queue.endpointId}</div>
              </td>
              <td>
                <State of={queue.paused ? 'paused' : queue.running > 0 ? 'running' : 'waiting'} />
              </td>
              <td className="number">
                {count(queue.waiting)}
                <div className="quiet">{size(queue.waitingBytes)}</div>
                {queue.postponed === 0 ? null : (
                  <div className="quiet">{count(queue.postponed)} tried later</div>
                )}
              </td>
              <td className="number">
                {queue.oldestAgeSeconds === null ? '–' : duration(queue.oldestAgeSeconds * 1000)}
              </td>
              <td className="number">
                {count(queue.running)}
                <div className="quiet">{size(queue.runningBytes)}</div>
              </td>
              <td className="number">{count(queue.dead)}</td>
              {maySteer ? (
                <td>
                  <PauseButton
                    queue={queue}
                    pauses={pauses}
                    isPending={pause.isPending}
                    act={(verb) => pause.mutate({ verb, body: nameOf(queue) })}
                  />
                </td>
              ) : null}
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function PauseButton({
  queue,
  pauses,
  isPending,
  act,
}: {
  queue: Queue;
  pauses: readonly Pause[];
  isPending: boolean;
  act: (verb: 'pause' | 'resume') => void;
}) {
  const isOwn = pauses.some(
    ({ endpointId, bucket, source }) =>
      endpointId === queue.endpointId && bucket === queue.bucket && source === queue.source,
  );
  if (queue.paused && !isOwn) return <span className="quiet">by a wider pause</span>;
  const verb = queue.paused ? 'resume' : 'pause';
  const word = queue.paused ? 'Resume' : 'Pause';
  return (
    <button
      type="button"
      className="plain"
      disabled={isPending}
      aria-label={`${word} ${queueWords(queue)}`}
      onClick={() => act(verb)}
    >
      {word}
    </button>
  );
}
