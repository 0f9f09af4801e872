import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '../api.js';
import { Problem } from '../parts/Problem.js';
import { endOfDay, type Exception } from './exceptions.js';

/** Ends one that is in force or asked for, or asks to go on with it. */
export function ExceptionActs({ exception }: { exception: Exception }) {
  const [act, setAct] = useState<'withdraw' | 'extend'>();
  const [reason, setReason] = useState('');
  const [until, setUntil] = useState('');
  const client = useQueryClient();
  const send = useMutation({
    mutationFn: async (wanted: 'withdraw' | 'extend') =>
      call(`/api/v1/exceptions/${exception.id}/${wanted}`, {
        method: 'POST',
        body: { reason, ...(wanted === 'extend' && { expiresAt: endOfDay(until) }) },
      }),
    onSuccess: () => setAct(undefined),
    onSettled: () => client.invalidateQueries({ queryKey: ['/api/v1/exceptions'] }),
  });
  const open = (wanted: 'withdraw' | 'extend'): void => {
    send.reset();
    setAct(act === wanted ? undefined : wanted);
  };
  return (
    <>
      <div className="row">
        {exception.state === 'IN_FORCE' ? (
          <button type="button" aria-expanded={act === 'extend'} onClick={() => open('extend')}>
            Extend
          </button>
        ) : null}
        <button type="button" aria-expanded={act === 'withdraw'} onClick={() => open('withdraw')}>
          Withdraw
        </button>
      </div>
      {act === undefined ? null : (
        <form
          className="acts"
          onSubmit={(event) => {
            event.preventDefault();
            send.mutate(act);
          }}
        >
          <p className="quiet">
            {act === 'extend'
              ? 'Somebody else must agree again; it counts until then as before.'
              : exception.state === 'REQUESTED'
                ? 'Nobody is asked any more.'
                : 'It ends now, and the objects that it answered for are scanned again.'}
          </p>
          {act === 'extend' ? (
            <label>
              Until
              <input type="date" required value={until} onChange={({ target }) => setUntil(target.value)} />
            </label>
          ) : null}
          <label>
            Why
            <input
              required
              maxLength={1000}
              value={reason}
              onChange={({ target }) => setReason(target.value)}
            />
          </label>
          <Problem error={send.error} />
          <button
            type="submit"
            className={act === 'withdraw' ? 'danger' : 'primary'}
            disabled={send.isPending || reason.trim() === ''}
          >
            {act === 'withdraw' ? 'Withdraw it' : 'Ask to extend it'}
          </button>
        </form>
      )}
    </>
  );
}
