import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from 'react-router-dom';
import { call } from '../api.js';
import { size, visible, when } from '../format.js';
import { Findings } from '../parts/Findings.js';
import { NotCovered, type Gap } from '../parts/NotCovered.js';
import { Query } from '../parts/Query.js';
import { State } from '../parts/State.js';
import type { Finding } from '../reviews.js';

interface Engine {
  readonly name: string;
  readonly version: string;
  readonly database?: string;
  readonly databaseDate?: string;
}

interface Story {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string | null;
  readonly eTag: string | null;
  readonly sizeBytes: number | null;
  readonly detectedType: string | null;
  readonly verdict: string;
  readonly reason: string | null;
  readonly detail: string | null;
  readonly required: readonly string[] | null;
  readonly engines: readonly Engine[];
  readonly bytesScanned: number | null;
  readonly bytesTotal: number | null;
  readonly sha256: string | null;
  readonly uploadedAt: string;
  readonly firstSeenAt: string;
  readonly workflowId: string | null;
  readonly openReviewId: string | null;
  readonly verdicts: readonly {
    readonly id: string | number;
    readonly verdict: string;
    readonly reason: string;
    readonly at: string;
    readonly generation: number;
    readonly workflowId: string | null;
    readonly scanId: string | null;
    readonly notCovered: readonly Gap[];
  }[];
  readonly findings: readonly (Finding & { readonly scanId: string })[];
  readonly findingsTotal: number;
  readonly actions: readonly {
    readonly id: string | number;
    readonly action: string;
    readonly performed: boolean;
    readonly note: string | null;
    readonly at: string;
  }[];
  readonly decisions: readonly {
    readonly reviewId: string;
    readonly outcome: string;
    readonly decidedBy: string;
    readonly reason: string;
    readonly at: string;
  }[];
}

/** One object version: what was said of it, by whom, and what was done. */
export function ObjectPage() {
  const { id = '' } = useParams();
  const story = useQuery({
    queryKey: ['object', id],
    queryFn: () => call<Story>(`/api/v1/objects/${encodeURIComponent(id)}`),
    refetchInterval: 3000,
  });
  return (
    <Query of={story}>
      {(object) => (
        <section>
          <title>{`${visible(`${object.bucket}/${object.key}`)} · Sallyport`}</title>
          <div className="heading">
            <h1>{visible(`${object.bucket}/${object.key}`)}</h1>
            <State of={object.verdict} />
            <span className="quiet">{object.reason?.replaceAll('_', ' ')}</span>
            <Rescan object={object} />
          </div>
          <div className="cols">
            <Facts object={object} />
            <History object={object} />
          </div>
          {object.reason === 'released_by_review' ? (
            <p className="notice quietly">
              This is the copy that a person released; it was not scanned again.{' '}
              <Link
                to={`/objects?bucket=${encodeURIComponent(object.bucket)}&prefix=${encodeURIComponent(object.key)}`}
              >
                The scanned upload with its findings
              </Link>
            </p>
          ) : null}
          <Found object={object} />
        </section>
      )}
    </Query>
  );
}

/** What the scan behind the verdict found, and below it what it could not look at. */
function Found({ object }: { object: Story }) {
  const spoken = object.verdicts[0];
  // Before there is a verdict, what is found is of the scan that runs.
  const items = object.findings.filter(({ scanId }) => spoken === undefined || scanId === spoken.scanId);
  const earlier = object.findings.length - items.length;
  return (
    <>
      <h2>Findings</h2>
      <Findings items={items} total={Math.max(object.findingsTotal, items.length)} />
      {earlier === 0 ? null : <p className="quiet">{earlier} more are of other scans of it.</p>}
      <NotCovered
        gaps={spoken?.notCovered ?? []}
        bytes={{ scanned: object.bytesScanned, total: object.bytesTotal }}
        hasFindings={items.length > 0}
      />
    </>
  );
}

function Rescan({ object }: { object: Story }) {
  const client = useQueryClient();
  const scan = useMutation({
    mutationFn: () =>
      call('/api/v1/scans', {
        method: 'POST',
        body: {
          bucket: object.bucket,
          key: object.key,
          ...(object.versionId === null ? {} : { versionId: object.versionId }),
        },
      }),
    onSettled: () => client.invalidateQueries({ queryKey: ['object', object.id] }),
  });
  return (
    <span className="actions">
      <button type="button" disabled={scan.isPending} onClick={() => scan.mutate()}>
        Scan again
      </button>
      {scan.error === null ? null : <span className="problem">{scan.error.message}</span>}
    </span>
  );
}

function Facts({ object }: { object: Story }) {
  return (
    <div className="card">
      <h2>What it is</h2>
      <dl>
        <dt>Version</dt>
        <dd className="mono">{object.versionId ?? 'unversioned'}</dd>
        <dt>Size</dt>
        <dd>
          {size(object.sizeBytes)} <span className="quiet">{object.detectedType}</span>
        </dd>
        <dt>SHA-256</dt>
        <dd className="mono">{object.sha256 ?? '–'}</dd>
        <dt>Uploaded</dt>
        <dd>{when(object.uploadedAt)}</dd>
        <dt>First seen</dt>
        <dd>{when(object.firstSeenAt)}</dd>
        <dt>Bytes read</dt>
        <dd>
          {size(object.bytesScanned)} of {size(object.bytesTotal)}
        </dd>
        {object.required === null ? null : (
          <>
            <dt>Required</dt>
            <dd>{object.required.join(' and ')}, or it is not called clean</dd>
          </>
        )}
        <dt>By</dt>
        <dd>
          {object.engines.length === 0 ? '–' : null}
          {object.engines.map((engine) => (
            <div key={engine.name}>
              {engine.name} {engine.version}{' '}
              <span className="quiet">
                {[engine.database, engine.databaseDate].filter(Boolean).join(', ')}
              </span>
            </div>
          ))}
        </dd>
        {object.detail === null ? null : (
          <>
            <dt>Detail</dt>
            <dd>{visible(object.detail)}</dd>
          </>
        )}
        <dt>Why</dt>
        <dd>
          {object.workflowId === null ? (
            '–'
          ) : (
            <Link to={`/executions/${object.workflowId}`}>the graph of its way</Link>
          )}
          {object.openReviewId === null ? null : (
            <>
              {' · '}
              <Link to={`/reviews/${object.openReviewId}`}>a person is asked</Link>
            </>
          )}
        </dd>
      </dl>
    </div>
  );
}

/** Verdicts, decisions and actions in one line of time, newest first. */
function History({ object }: { object: Story }) {
  const entries = [
    ...object.verdicts.map((verdict, index) => ({
      key: `verdict-${verdict.id}`,
      at: verdict.at,
      text: (
        <>
          <State of={verdict.verdict} /> <span className="quiet">{verdict.reason.replaceAll('_', ' ')}</span>
          {verdict.notCovered.length === 0 ? null : index === 0 ? (
            <>
              , <a href="#not-looked-at">not looked at everywhere</a>
            </>
          ) : (
            <span className="quiet">, not looked at everywhere</span>
          )}
        </>
      ),
    })),
    ...object.decisions.map((decision) => ({
      key: `decision-${decision.reviewId}`,
      at: decision.at,
      text: (
        <>
          <strong>{decision.outcome}</strong> by {visible(decision.decidedBy)}
          {decision.reason === '' ? '' : `: “${visible(decision.reason)}”`}
        </>
      ),
    })),
    ...object.actions.map((action) => ({
      key: `action-${action.id}`,
      at: action.at,
      text: (
        <>
          {action.performed ? action.action : `would be ${action.action}`}{' '}
          <span className="quiet">{action.note}</span>
        </>
      ),
    })),
  ].sort((a, b) => b.at.localeCompare(a.at));
  return (
    <div className="card">
      <h2>What happened</h2>
      <ol className="timeline">
        {entries.map((entry) => (
          <li key={entry.key}>
            {entry.text} <span className="quiet">— {when(entry.at)}</span>
          </li>
        ))}
      </ol>
      {entries.length === 0 ? <p className="quiet">Nothing yet.</p> : null}
    </div>
  );
}
