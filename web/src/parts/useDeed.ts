import { useMutation, useQueryClient } from '@tanstack/react-query';
import { call } from '../api.js';

interface Deed {
  readonly path: string;
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly body?: unknown;
}

/** One change of what lists show: they are asked anew when it was taken, and when it was refused. */
export function useDeed(lists: readonly string[], onDone?: (answer: unknown) => void) {
  const client = useQueryClient();
  const deed = useMutation({
    mutationFn: ({ path, method, body }: Deed) => call<unknown>(path, { method, body }),
    onSuccess: (answer) => onDone?.(answer),
    onSettled: () => Promise.all(lists.map((list) => client.invalidateQueries({ queryKey: [list] }))),
  });
  return { run: (wanted: Deed) => deed.mutate(wanted), isPending: deed.isPending, error: deed.error };
}
