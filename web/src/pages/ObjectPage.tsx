import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from 'react-router-dom';
import { gapsOf, isMalwareLeftOut, type Judged } from '../../../src/verdicts/gaps.js';
import { reasonWords, skippedBy } from '../../../src/verdicts/reason-words.js';
import { call } from '../api.js';
import { size, visible, when } from '../format.js';
import { Findings } from '../parts/Findings.js';
import { NotCovered, type Gap } from '../parts/NotCovered.js';
import { Query } from '../parts/Query.js';
import { State } from '../parts/State.js';
import type { Finding } from '../reviews.js';
import { movedTo, type Step } from '../whereabouts.js';

interface Engine {
  readonly name: string;
  readonly version: string;
  readonly database?: string;
  readonly databaseDate?: string;
}

interface Decider {
  readonly reviewId: string | null;
  readonly decidedBy: string | null;
  /** As people call who decided it; `decidedBy` is as the record does. */
  readonly deciderName: string | null;
  readonly at: string;
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
  readonly verdicts: readonly (Judged<Gap> & {
    readonly id: string | number;
    readonly reason: string;
    readonly at: string;
    readonly generation: number;
    readonly workflowId: string | null;
    readonly scanId: string | null;
  })[];
  readonly findings: readonly (Finding & { readonly scanId: string })[];
  readonly findingsTotal: number;
  readonly actions: readonly {
    readonly id: string | number;
    readonly action: string;
    readonly performed: boolean;
    readonly note: string | null;
    readonly at: string;
  }[];
  readonly decisions: readonly (Decider & { readonly outcome: string; readonly reason: string })[];
  readonly steps: readonly Step[];
  readonly deletedAt: string | null;
  readonly releasedFrom: (Decider & { readonly objectId: string }) | null;
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
            <span className="quiet">{visible(reasonWords(object.verdict, object.reason ?? ''))}</span>
            {movedTo(object) === undefined ? <Rescan object={object} /> : null}
          </div>
          <Moved object={object} />
          <div className="cols">
            <Facts object={object} />
            <History object={object} />
          </div>
          <Found object={object} />
        </section>
      )}
    </Query>
  );
}

/** Why there is nothing to scan here any more, and where it is. */
function Moved({ object }: { object: Story }) {
  const moved = movedTo(object);
  if (moved === undefined) return null;
  return (
    <p className="notice quietly">
      {moved.kind === 'quarantined' ? (
        <>
          It is in quarantine since {when(moved.at)}, at{' '}
          <span className="mono">{visible(`${moved.bucket}/${moved.key}`)}</span>, where nothing scans it.
        </>
      ) : null}
      {moved.kind === 'released' ? (
        <>
          It was released out of quarantine, and what a release writes is a version of its own.{' '}
          <Link to={listOf(object)}>What stands at its key</Link>
        </>
      ) : null}
      {moved.kind === 'deleted' ? `It was deleted, ${when(moved.at)}: there is nothing left to scan.` : null}
    </p>
  );
}

const listOf = ({ bucket, key }: Story): string =>
  `/objects?bucket=${encodeURIComponent(bucket)}&prefix=${encodeURIComponent(key)}`;

/** These were never opened: nothing can be said of what is in them. */
const UNREAD = ['skipped', 'gone', 'superseded', 'denied', 'archived'];

const wasScanned = ({ verdict, engines, findings }: Story): boolean =>
  engines.length > 0 || findings.length > 0 || !UNREAD.includes(verdict);

/** What the scan behind the verdict found, and below it what it could not look at. */
function Found({ object }: { object: Story }) {
  if (!wasScanned(object)) return <Unscanned object={object} />;
  const spoken = object.verdicts[0];
  // Before there is a verdict, what is found is of the scan that runs.
  const items = object.findings.filter(({ scanId }) => spoken === undefined || scanId === spoken.scanId);
  const earlier = object.findings.length - items.length;
  const isClean = object.verdict.startsWith('clean');
  return (
    <>
      <h2>Findings</h2>
      {object.verdict === 'pending' && items.length === 0 ? (
        <p className="quiet">It waits for its scan.</p>
      ) : isClean && items.length === 0 ? (
        <p className="quiet">Nothing was found.</p>
      ) : (
        <Findings items={items} total={Math.max(object.findingsTotal, items.length)} />
      )}
      {earlier === 0 ? null : <p className="quiet">{earlier} more are of other scans of it.</p>}
      {spoken !== undefined && isMalwareLeftOut(spoken) ? (
        <p className="quiet">Malware was not required here, and was not looked for by an engine.</p>
      ) : null}
      <NotCovered
        gaps={spoken === undefined ? [] : gapsOf(spoken)}
        bytes={
          isClean || spoken === undefined
            ? { scanned: null, total: null }
            : { scanned: object.bytesScanned, total: object.bytesTotal }
        }
        hasFindings={items.length > 0}
      />
    </>
  );
}

/** It was not looked into, so there are neither findings nor a lack of them. */
function Unscanned({ object }: { object: Story }) {
  const { releasedFrom, reason } = object;
  const rule = skippedBy(object.verdict, reason ?? '');
  return (
    <>
      <h2>Not scanned</h2>
      {releasedFrom !== null || reason === 'released_by_review' ? (
        <p>
          This is the copy that a release wrote
          {releasedFrom === null ? '' : `, decided by ${nameOf(releasedFrom)}, ${when(releasedFrom.at)}`}. It
          was not scanned itself:{' '}
          <Link to={releasedFrom === null ? listOf(object) : `/objects/${releasedFrom.objectId}`}>
            what had been scanned, with its findings
          </Link>
          {releasedFrom?.reviewId == null ? null : (
            <>
              , and <Link to={`/reviews/${releasedFrom.reviewId}`}>the review that let it go</Link>
            </>
          )}
          .
        </p>
      ) : rule === undefined ? (
        <p>Nobody looked into it{UNREAD_WORDS[reason ?? ''] ?? ''}.</p>
      ) : (
        <p>
          The rule <Link to={`/triggers/${encodeURIComponent(rule)}`}>{visible(rule)}</Link> skipped it, so
          nobody looked into it.
        </p>
      )}
    </>
  );
}

const UNREAD_WORDS: Readonly<Record<string, string>> = {
  no_rule_matched: ': no rule matched it',
  own_write: ': the service wrote it itself',
  quarantined_copy: ': it is a copy in quarantine, of an object that was scanned',
  backfill_cancelled: ': its backfill was cancelled before',
  cancelled_by_operator: ': somebody took it out of the queue',
};

const nameOf = ({ deciderName, decidedBy }: Decider): string =>
  visible(deciderName ?? decidedBy ?? 'nobody who is known');

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
        <dd>{wasScanned(object) ? `${size(object.bytesScanned)} of ${size(object.bytesTotal)}` : 'none'}</dd>
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
          <State of={verdict.verdict} />
          {verdict.reason === '' ? null : (
            <span className="quiet"> {visible(reasonWords(verdict.verdict, verdict.reason))}</span>
          )}
          {gapsOf(verdict).length === 0 ? null : index === 0 ? (
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
          <strong>{decision.outcome}</strong> by {nameOf(decision)}
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
