import { useMutation, useQuery } from '@tanstack/react-query';
import { call } from '../api.js';
import { count, when } from '../format.js';
import { Query } from '../parts/Query.js';

interface Chain {
  readonly chain: string;
  readonly events: number;
  readonly head: string | null;
  readonly signedUpTo: number;
  readonly signedAt: string | null;
  readonly anchoredUpTo: number;
  readonly isKeptElsewhere: boolean;
  readonly key: { readonly keyId: string; readonly publicKey: string };
}

interface Verification {
  readonly isWhole: boolean;
  readonly events: number;
  readonly bad?: unknown;
}

/** The audit record: how far it is chained, signed and kept elsewhere, and whether it still says what it said. */
export function RecordCard() {
  const chain = useQuery({
    queryKey: ['audit-chain'],
    queryFn: () => call<Chain>('/api/v1/audit/chain'),
    refetchInterval: 5000,
  });
  const verify = useMutation({
    mutationFn: () => call<Verification>('/api/v1/audit/verify', { method: 'POST', body: {} }),
  });
  return (
    <div className="card">
      <h2>The audit record</h2>
      <Query of={chain}>{(found) => <ChainFacts chain={found} />}</Query>
      <p className="actions">
        <button type="button" disabled={verify.isPending} onClick={() => verify.mutate()}>
          {verify.isPending ? 'Verifying …' : 'Verify all of it'}
        </button>
        <a className="button" href="/api/v1/audit/extract" download>
          Download as JSON lines
        </a>
        <a className="button" href="/api/v1/audit/verifier" download>
          verify.mjs
        </a>
      </p>
      {verify.error === null ? null : <p className="problem">{verify.error.message}</p>}
      {verify.data === undefined ? null : (
        <p role="status" className={verify.data.isWhole ? '' : 'problem'}>
          {verify.data.isWhole
            ? `✓ whole: ${count(verify.data.events)} events`
            : `✕ broken: ${JSON.stringify(verify.data.bad)}`}
        </p>
      )}
    </div>
  );
}

function ChainFacts({ chain }: { chain: Chain }) {
  return (
    <dl>
      <dt>Chained</dt>
      <dd>{count(chain.events)} events</dd>
      <dt>Signed</dt>
      <dd>
        up to event {count(chain.signedUpTo)}
        {chain.signedAt === null ? '' : `, ${when(chain.signedAt)}`}
      </dd>
      <dt>Kept elsewhere</dt>
      <dd>
        {chain.isKeptElsewhere
          ? `up to event ${count(chain.anchoredUpTo)}`
          : 'nowhere: set AUDIT_BUCKET or AUDIT_TO, or nobody can tell a record that was written anew'}
      </dd>
      <dt>Head</dt>
      <dd>
        <code>{chain.head ?? '–'}</code>
      </dd>
      <dt>Key</dt>
      <dd>
        {chain.key.keyId} <code>{chain.key.publicKey}</code>
      </dd>
    </dl>
  );
}
