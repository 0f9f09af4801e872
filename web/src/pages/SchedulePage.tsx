import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useParams } from 'react-router-dom';
import { call, type Page } from '../api.js';
import { visible, when } from '../format.js';
import { ChangeForm, NewForm } from '../parts/EditForm.js';
import { Held } from '../parts/Held.js';
import { Problem } from '../parts/Problem.js';
import { Query } from '../parts/Query.js';
import { State } from '../parts/State.js';
import { useChange, useCreate } from '../parts/useChange.js';
import { useMay } from '../parts/useSession.js';
import { schedulePath, type Firing, type Schedule } from '../schedules.js';
import { bodyOf, draftOf, ScheduleFields } from './ScheduleFields.js';

/** Makes a schedule. */
export function NewSchedulePage() {
  const [draft, setDraft] = useState(() => draftOf(undefined));
  const making = useCreate<Schedule>({
    make: () =>
      call('/api/v1/schedules', { method: 'POST', body: { name: draft.name.trim(), ...bodyOf(draft) } }),
    list: ['/api/v1/schedules'],
    home: ({ name }) => schedulePath(name),
  });
  return (
    <section>
      <title>Add a schedule · Sallyport</title>
      <h1>Add a schedule</h1>
      <NewForm making={making}>
        <ScheduleFields draft={draft} set={setDraft} isNew />
      </NewForm>
    </section>
  );
}

/** One schedule: how it is set, and what became of its times. */
export function SchedulePage() {
  const { name = '' } = useParams();
  const found = useQuery({
    queryKey: ['schedule', name],
    // A form begins with what stands now, not with what was seen before.
    gcTime: 0,
    queryFn: () => call<Schedule>(`/api/v1${schedulePath(name)}`),
    refetchInterval: 5_000,
  });
  return (
    <section>
      <title>{`${name} · Sallyport`}</title>
      <Query of={found}>
        {(schedule) => (
          <>
            <Held latest={schedule} versionOf={({ version }) => version}>
              {(held, renew) => (
                <>
                  <Heading schedule={schedule} onChanged={renew} />
                  <ChangeSchedule schedule={held} onChanged={renew} />
                </>
              )}
            </Held>
            <h2>What became of its times</h2>
            <Firings name={name} />
          </>
        )}
      </Query>
    </section>
  );
}

function Heading({ schedule, onChanged }: { schedule: Schedule; onChanged: (schedule: Schedule) => void }) {
  const client = useQueryClient();
  const maySteer = useMay('operator');
  const act = useMutation({
    mutationFn: (verb: 'pause' | 'resume' | 'run') =>
      call<Schedule | { dueAt: string }>(`/api/v1${schedulePath(schedule.name)}/${verb}`, {
        method: 'POST',
        body: {},
      }),
    onSuccess: (answer) => {
      if (!('version' in answer)) return;
      client.setQueryData(['schedule', schedule.name], answer);
      onChanged(answer);
    },
    onSettled: () =>
      Promise.all(
        [['firings', schedule.name], ['/api/v1/schedules']].map((queryKey) =>
          client.invalidateQueries({ queryKey }),
        ),
      ),
  });
  return (
    <>
      <div className="heading">
        <h1>{schedule.name}</h1>
        <State of={schedule.enabled ? 'ENABLED' : 'PAUSED'} />
        <span className="quiet">{schedule.enabled ? `next ${when(schedule.nextFireAt)}` : null}</span>
        {maySteer ? (
          <span className="actions">
            <button type="button" disabled={act.isPending} onClick={() => act.mutate('run')}>
              Run it now
            </button>
            <button
              type="button"
              disabled={act.isPending}
              onClick={() => act.mutate(schedule.enabled ? 'pause' : 'resume')}
            >
              {schedule.enabled ? 'Pause' : 'Resume'}
            </button>
          </span>
        ) : null}
      </div>
      <Problem error={act.error} />
    </>
  );
}

function ChangeSchedule({
  schedule,
  onChanged,
}: {
  schedule: Schedule;
  onChanged: (schedule: Schedule) => void;
}) {
  const mayChange = useMay('author');
  const [draft, setDraft] = useState(() => draftOf(schedule));
  const { version } = schedule;
  const edit = useChange<Schedule>({
    path: `/api/v1${schedulePath(schedule.name)}`,
    method: 'PUT',
    version,
    body: () => ({ ...bodyOf(draft), enabled: schedule.enabled, version }),
    queryKey: ['schedule', schedule.name],
    lists: [['/api/v1/schedules']],
    home: '/triggers',
    onChanged,
  });
  return (
    <ChangeForm
      edit={edit}
      version={version}
      last={schedule}
      mayChange={mayChange}
      removal="It runs no more; what it started goes on."
    >
      <ScheduleFields draft={draft} set={setDraft} isNew={false} />
    </ChangeForm>
  );
}

function Firings({ name }: { name: string }) {
  const firings = useQuery({
    queryKey: ['firings', name],
    queryFn: () => call<Page<Firing>>(`/api/v1${schedulePath(name)}/firings`),
    refetchInterval: 5_000,
  });
  return (
    <Query of={firings}>
      {({ items }) =>
        items.length === 0 ? (
          <p className="quiet">It was not due yet.</p>
        ) : (
          <table>
            <thead>
              <tr>
                <th scope="col">Due</th>
                <th scope="col">State</th>
                <th scope="col">Began</th>
                <th scope="col">Ended</th>
                <th scope="col" className="number">
                  Attempts
                </th>
                <th scope="col">Note</th>
              </tr>
            </thead>
            <tbody>
              {items.map((firing) => (
                <tr key={`${firing.dueAt} ${firing.requestedBy}`}>
                  <td>
                    {when(firing.dueAt)}
                    {firing.missedUntil === null ? null : (
                      <div className="quiet">and all before {when(firing.missedUntil)}</div>
                    )}
                  </td>
                  <td>
                    <State of={firing.state} />
                  </td>
                  <td>{when(firing.startedAt)}</td>
                  <td>{when(firing.endedAt)}</td>
                  <td className="number">{firing.attempts}</td>
                  <td>
                    {firing.requestedBy === null ? null : `asked for by ${visible(firing.requestedBy)} `}
                    {firing.error === null ? null : <span className="problem">{visible(firing.error)}</span>}
                    {firing.notBefore === null || firing.attempts === 0
                      ? null
                      : ` tried again ${when(firing.notBefore)}`}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )
      }
    </Query>
  );
}
