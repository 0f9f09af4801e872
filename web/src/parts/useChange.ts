import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from 'react-router-dom';
import { call } from '../api.js';

interface ChangeWish<T> {
  /** The thing's own path in the API. */
  readonly path: string;
  readonly method: 'PUT' | 'PATCH';
  /** Of what is held: a change of another one is refused. */
  readonly version: number;
  /** What the form says now. A field that cannot be read throws, and its sentence is shown as the server's are. */
  readonly body: () => object;
  readonly queryKey: readonly unknown[];
  /** Queries that show it among others. */
  readonly lists: readonly (readonly unknown[])[];
  /** Where to go when it is removed. */
  readonly home: string;
  /** One's own change was taken: the form begins anew with it. */
  readonly onChanged: (changed: T) => void;
}

/** Changing and removing one thing that others may change meanwhile. */
export function useChange<T>(wish: ChangeWish<T>) {
  const { path, method, version, body, queryKey, lists, home, onChanged } = wish;
  const client = useQueryClient();
  const navigate = useNavigate();
  // What was refused may be so because something else stands now.
  const onError = () => client.invalidateQueries({ queryKey });
  const change = useMutation({
    mutationFn: async () => call<T>(path, { method, body: body() }),
    onSuccess: async (changed) => {
      client.setQueryData(queryKey, changed);
      onChanged(changed);
      await Promise.all(lists.map((list) => client.invalidateQueries({ queryKey: list })));
    },
    onError,
  });
  const remove = useMutation({
    mutationFn: () => call(`${path}?version=${version}`, { method: 'DELETE' }),
    onSuccess: async () => {
      // The list as it was still has it.
      for (const list of lists) client.removeQueries({ queryKey: list });
      await navigate(home);
    },
    onError,
  });
  return {
    save: () => change.mutate(),
    remove: () => remove.mutate(),
    isSaving: change.isPending,
    isRemoving: remove.isPending,
    error: change.error ?? remove.error,
  };
}

/** Making one thing. */
export function useCreate<T>({
  make,
  list,
  home,
}: {
  /** A field that cannot be read throws, and its sentence is shown as the server's are. */
  readonly make: () => Promise<T>;
  /** The query that shows it among others. */
  readonly list: readonly unknown[];
  /** Where to go with it. The page there finds what was made in `location.state`. */
  readonly home: (made: T) => string;
}) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const create = useMutation({
    mutationFn: async () => make(),
    onSuccess: async (made) => {
      await client.invalidateQueries({ queryKey: list });
      await navigate(home(made), { state: { made } });
    },
  });
  return { create: () => create.mutate(), isCreating: create.isPending, error: create.error };
}
