import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '../api.js';
import { ConfirmButton } from '../parts/ConfirmButton.js';
import { visible } from '../format.js';
import { useSession } from '../parts/useSession.js';
import type { Column, SavedView, ViewSpec } from '../reviews.js';
import { COLUMNS } from './ReviewTable.js';

const PATH = '/api/v1/review-views';

export const useSavedViews = () =>
  useQuery({
    queryKey: [PATH],
    queryFn: () => call<{ readonly items: readonly SavedView[] }>(PATH),
    staleTime: 30_000,
  });

/** Keeps what is listed under a name, for oneself or for others too. */
export function SaveView({
  spec,
  current,
  onColumns,
  onSaved,
}: {
  spec: ViewSpec;
  onColumns: (columns: readonly Column[]) => void;
  /** The saved view that is shown, if one is. */
  current: SavedView | undefined;
  onSaved: (id: string | undefined) => void;
}) {
  const [name, setName] = useState('');
  const [shared, setShared] = useState('');
  const isAdmin = useSession().data?.roles.includes('admin') === true;
  const client = useQueryClient();
  const refresh = () => client.invalidateQueries({ queryKey: [PATH] });
  const save = useMutation({
    mutationFn: () =>
      call<SavedView>(PATH, { method: 'POST', body: { name: name.trim(), shared: sharedOf(shared), spec } }),
    onSuccess: async (made) => {
      setName('');
      await refresh();
      onSaved(made.id);
    },
  });
  const remove = useMutation({
    mutationFn: (id: string) => call(`${PATH}/${id}`, { method: 'DELETE' }),
    onSuccess: async () => {
      await refresh();
      onSaved(undefined);
    },
  });
  const error = save.error ?? remove.error;
  return (
    <details className="card more">
      <summary>Columns, and keeping this list under a name</summary>
      <fieldset className="row plain">
        <legend className="quiet">Columns</legend>
        {(Object.keys(COLUMNS) as Column[]).map((column) => (
          <label key={column} className="check">
            <input
              type="checkbox"
              checked={spec.columns.includes(column)}
              disabled={spec.columns.length === 1 && spec.columns[0] === column}
              onChange={({ target }) =>
                onColumns(
                  (Object.keys(COLUMNS) as Column[]).filter((one) =>
                    one === column ? target.checked : spec.columns.includes(one),
                  ),
                )
              }
            />
            {COLUMNS[column].head}
          </label>
        ))}
      </fieldset>
      <div className="row">
        <label>
          Name
          <input value={name} maxLength={60} onChange={({ target }) => setName(target.value)} />
        </label>
        <label>
          Shown to
          <input
            value={shared}
            list="shares"
            placeholder="only me"
            onChange={({ target }) => setShared(target.value)}
          />
          <datalist id="shares">
            <option value="everybody" />
          </datalist>
          <span className="quiet">everybody, or the name of a group of yours</span>
        </label>
        <button type="button" disabled={save.isPending || name.trim() === ''} onClick={() => save.mutate()}>
          Save
        </button>
        {current === undefined || !(current.isMine || isAdmin) ? null : (
          <ConfirmButton
            label={`Delete “${visible(current.name)}”`}
            question="Really delete it"
            disabled={remove.isPending}
            onConfirm={() => remove.mutate(current.id)}
          />
        )}
      </div>
      {error === null ? null : (
        <p className="problem" role="alert">
          {error.message}
        </p>
      )}
    </details>
  );
}

function sharedOf(said: string): SavedView['shared'] {
  const group = said.trim();
  if (group === '') return null;
  return group === 'everybody' ? { with: 'everybody' } : { with: 'group', group };
}
