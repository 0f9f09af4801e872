import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate, useParams } from 'react-router-dom';
import { call, type Page } from '../api.js';
import { visible, when } from '../format.js';
import { ConfirmButton } from '../parts/ConfirmButton.js';
import { Held } from '../parts/Held.js';
import { Problem } from '../parts/Problem.js';
import { Query } from '../parts/Query.js';
import { State } from '../parts/State.js';
import { useMay } from '../parts/useSession.js';
import { schedulePath, type Firing, type Schedule } from '../schedules.js';
import { bodyOf, draftOf, ScheduleFields } from './ScheduleFields.js';

/** Makes a schedule. */
export function NewSchedulePage() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [draft, setDraft] = useState(() => draftOf(undefined));
  const create = useMutation({
    mutationFn: async () =>
      call<Schedule>('/api/v1/schedules', {
        method: 'POST',
        body: { name: draft.name.trim(), ...bodyOf(draft) },
      }),
    onSuccess: async (made) => {
      await client.invalidateQueries({ queryKey: ['/api/v1/schedules'] });
      await navigate(schedulePath(made.name));
    },
  });
  return (
    <section>
      <title>Add a schedule · Sallyport</title>
      <h1>Add a schedule</h1>
      <form
        className="card form"
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate();
        }}
      >
        <ScheduleFields draft={draft} set={setDraft} isNew />
        <Problem error={create.error} />
        <div className="row">
          <button type="submit" className="primary" disabled={create.isPending}>
            Add it
          </button>
        </div>
      </form>
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
  const mayChange = useMay('engineer');
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
        {mayChange ? (
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
  const client = useQueryClient();
  const navigate = useNavigate();
  const mayChange = useMay('engineer');
  const [draft, setDraft] = useState(() => draftOf(schedule));
  const path = `/api/v1${schedulePath(schedule.name)}`;
  const queryKey = ['schedule', schedule.name];
  const look = () => client.invalidateQueries({ queryKey });
  const change = useMutation({
    mutationFn: async () =>
      call<Schedule>(path, {
        method: 'PUT',
        body: { ...bodyOf(draft), enabled: schedule.enabled, version: schedule.version },
      }),
    onSuccess: (changed) => {
      client.setQueryData(queryKey, changed);
      onChanged(changed);
    },
    onError: look,
  });
  const remove = useMutation({
    mutationFn: () => call(`${path}?version=${schedule.version}`, { method: 'DELETE' }),
    onSuccess: async () => {
      // The list as it was still has it.
      client.removeQueries({ queryKey: ['/api/v1/schedules'] });
      await navigate('/triggers');
    },
    onError: look,
  });
  return (
    <form
      className="card form"
      onSubmit={(event) => {
        event.preventDefault();
        change.mutate();
      }}
    >
      <p className="quiet">
        Version {schedule.version}, changed {when(schedule.updatedAt)} by {schedule.updatedBy}.
      </p>
      <fieldset className="plain" disabled={!mayChange}>
        <ScheduleFields draft={draft} set={setDraft} isNew={false} />
      </fieldset>
      <Problem error={change.error ?? remove.error} />
      {mayChange ? (
        <div className="row">
          <button type="submit" className="primary" disabled={change.isPending}>
            Save
          </button>
          <ConfirmButton
            label="Remove"
            question="Really remove"
            effect="It runs no more; what it started goes on."
            disabled={remove.isPending}
            onConfirm={() => remove.mutate()}
          />
        </div>
      ) : null}
    </form>
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
