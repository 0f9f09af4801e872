import { useQuery, useQueryClient, type UseQueryResult } from '@tanstack/react-query';
import { useRef } from 'react';
import { call, type Execution } from '../api.js';
import { applyChange, type WorkflowChange } from '../live/change.js';
import type { Liveness } from '../live/connection.js';
import { useLive } from '../live/useLive.js';
import { useThrottled } from '../live/useThrottled.js';

// At most once in so long something is asked for because of events.
const REFRESH_MS = 1_000;
const DRAW_MS = 150;

/** One run, kept current by the event stream; nothing polls. */
export function useExecution(id: string): { execution: UseQueryResult<Execution>; liveness: Liveness } {
  const client = useQueryClient();
  const queryKey = ['execution', id];
  const execution = useQuery({
    queryKey,
    queryFn: async () => {
      const fetched = await call<Execution>(`/api/v1/executions/${encodeURIComponent(id)}`);
      // Events may have been faster than the answer.
      const known = client.getQueryData<Execution>(queryKey);
      return known !== undefined && known.revision > fetched.revision ? known : fetched;
    },
    staleTime: Infinity,
  });
  const fetchWhole = useThrottled(() => void client.invalidateQueries({ queryKey }), REFRESH_MS);
  const fetchRest = useThrottled(() => {
    void client.invalidateQueries({ queryKey: ['why', id] });
    void client.invalidateQueries({ queryKey: ['payloads', id] });
  }, REFRESH_MS);
  const arrived = useRef<WorkflowChange[]>([]);
  // A burst is drawn as one picture.
  const draw = useThrottled(() => {
    const before = client.getQueryData<Execution>(queryKey);
    let after = before;
    for (const change of arrived.current.splice(0)) after = after && applyChange(after, change);
    if (after === before) return;
    if (after === undefined) fetchWhole();
    else client.setQueryData(queryKey, after);
    fetchRest();
  }, DRAW_MS);
  const known = execution.data;
  const liveness = useLive(
    id,
    () => (known === undefined ? undefined : { workflowId: id, since: String(known.revision) }),
    (event, data) => {
      if (event === 'change') {
        arrived.current.push(data as WorkflowChange);
        draw();
      } else {
        fetchWhole();
        fetchRest();
      }
    },
  );
  return { execution, liveness };
}
