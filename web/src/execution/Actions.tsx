import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { call, isOpen, type Execution } from '../api.js';

/** What can be asked of a run in its state. */
export function Actions({ run }: { run: Execution }) {
  const client = useQueryClient();
  const act = useMutation({
    mutationFn: ({ method, path }: { method: string; path: string }) =>
      call(`/api/workflow/${run.workflowId}${path}`, { method }),
    onSettled: () => client.invalidateQueries({ queryKey: ['execution', run.workflowId] }),
  });
  const [asking, setAsking] = useState(false);
  const button = (label: string, method: string, path: string) => (
    <button type="button" disabled={act.isPending} onClick={() => act.mutate({ method, path })}>
      {label}
    </button>
  );
  return (
    <span className="actions">
      {run.status === 'RUNNING' ? button('Pause', 'PUT', '/pause') : null}
      {run.status === 'PAUSED' ? button('Resume', 'PUT', '/resume') : null}
      {['FAILED', 'TIMED_OUT', 'TERMINATED'].includes(run.status) ? button('Retry', 'POST', '/retry') : null}
      {isOpen(run) && !asking ? (
        <button type="button" onClick={() => setAsking(true)}>
          Terminate…
        </button>
      ) : null}
      {asking && isOpen(run) ? (
        <>
          <button
            type="button"
            className="danger"
            onClick={() => act.mutate({ method: 'DELETE', path: '?reason=terminated%20in%20the%20web%20UI' })}
          >
            Terminate now
          </button>
          <button type="button" onClick={() => setAsking(false)}>
            Keep it
          </button>
        </>
      ) : null}
      {act.error === null ? null : (
        <span className="problem" role="alert">
          {act.error.message}
        </span>
      )}
    </span>
  );
}
