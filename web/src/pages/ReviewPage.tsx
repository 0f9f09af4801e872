import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useParams } from 'react-router-dom';
import { eventWords } from '../../../src/reviews/event-words.js';
import { reasonWords } from '../../../src/verdicts/reason-words.js';
import { ApiError, call } from '../api.js';
import { placeWords, size, visible, visibleLines, when } from '../format.js';
import { Findings } from '../parts/Findings.js';
import { NotCovered } from '../parts/NotCovered.js';
import { Query } from '../parts/Query.js';
import { State } from '../parts/State.js';
import { useIsGranted, useMay, useSession } from '../parts/useSession.js';
import { AskUploader } from '../review/AskUploader.js';
import { Attachments } from '../review/Attachments.js';
import { Context } from '../review/Context.js';
import { Downloads } from '../review/Downloads.js';
import { Comments, Mentions } from '../review/Comments.js';
import { MoreActions } from '../review/MoreActions.js';
import { fieldProblems, SchemaForm, type FormValues } from '../review/SchemaForm.js';
import { FilledInForm, Standing, Votes } from '../review/Standing.js';
import { waits, type Review } from '../reviews.js';

/** One question with its evidence, and the answer. */
export function ReviewPage() {
  const { id = '' } = useParams();
  const review = useQuery({
    queryKey: ['review', id],
    queryFn: () => call<Review>(`/api/v1/reviews/${encodeURIComponent(id)}`),
    refetchInterval: 3000,
  });
  return (
    <Query of={review}>
      {(data) => (
        <section>
          <title>{`${headline(data)} · Sallyport`}</title>
          <div className="heading">
            <h1>{headline(data)}</h1>
            <State of={data.state} />
          </div>
          <div className="review">
            <div>
              <Evidence review={data} />
              {isOfScan(data) ? (
                <>
                  <h2>Findings</h2>
                  <Findings items={data.findings} total={data.findingsTotal} />
                </>
              ) : null}
              <Context review={data} />
              {data.object === null ? null : <Downloads review={data} />}
              {data.object !== null && waits(data) ? <AskUploader review={data} /> : null}
              <NotLookedAt review={data} />
            </div>
            <div>
              {waits(data) ? <Decide review={data} /> : <Outcome review={data} />}
              <Comments review={data} />
              <Attachments review={data} />
              <Timeline review={data} />
            </div>
          </div>
        </section>
      )}
    </Query>
  );
}

/** The question, or what was answered. */
const headline = ({ title, decision, object }: Review): string =>
  visible(decision === null || object === null ? title : `${decision.label}: ${object.bucket}/${object.key}`);

/** A question about nothing that was scanned has no findings, and must not say that nothing was found. */
const isOfScan = ({ object, verdict, findings }: Review): boolean =>
  object !== null || verdict !== null || findings.length > 0;

function Evidence({ review }: { review: Review }) {
  const { object } = review;
  return (
    <div className="card">
      <h2>{isOfScan(review) ? 'Evidence' : 'Question'}</h2>
      <dl>
        {review.verdict === null ? null : (
          <>
            <dt>Verdict</dt>
            <dd>
              <State of={review.verdict} />{' '}
              <span className="quiet">{visible(reasonWords(review.verdict, review.reason ?? ''))}</span>
            </dd>
          </>
        )}
        <dt>Queue</dt>
        <dd>{review.queue}</dd>
        {object === null ? null : (
          <>
            <dt>Object</dt>
            <dd>
              <Link to={`/objects/${object.id}`}>{visible(`${object.bucket}/${object.key}`)}</Link>
            </dd>
            <dt>Size</dt>
            <dd>
              {size(object.sizeBytes)} <span className="quiet">{object.detectedType}</span>
            </dd>
            <dt>Uploaded</dt>
            <dd>
              {when(object.lastModified)} by <Uploader of={object} />
            </dd>
            <dt>SHA-256</dt>
            <dd className="mono">{object.sha256 ?? '–'}</dd>
            {object.quarantined === null ? null : (
              <>
                <dt>{placeWords(waits(review))}</dt>
                <dd>{object.quarantined ? 'in quarantine' : 'still where it was uploaded'}</dd>
              </>
            )}
          </>
        )}
        {review.engines.length === 0 ? null : (
          <>
            <dt>Looked at by</dt>
            <dd>{review.engines.join(', ')}</dd>
          </>
        )}
        {review.caseId === null ? null : (
          <>
            <dt>Case</dt>
            <dd>
              <Link to={`/reviews/cases/${review.caseId}`}>
                others about the same thing, decided together
              </Link>
            </dd>
          </>
        )}
        <dt>Execution</dt>
        <dd>
          <Link to={`/executions/${review.workflowId}?task=review`}>its graph</Link>
        </dd>
      </dl>
    </div>
  );
}

/** Whom the event named, and whom that is taken for. */
function Uploader({ of: object }: { of: NonNullable<Review['object']> }) {
  const { uploader, uploadedBy } = object;
  const name = visible(uploadedBy?.name ?? '');
  return (
    <>
      {uploader === null ? 'an unknown uploader' : <bdi>{visible(uploader)}</bdi>}{' '}
      <span className="quiet">
        {uploadedBy?.how === 'mapped' || uploadedBy?.how === 'named' ? name : null}
        {uploadedBy?.how === 'likely' ? `perhaps ${name}; nobody said so` : null}
        {uploadedBy?.how === 'service' ? 'a machine' : null}
        {uploadedBy?.how === 'unknown' && uploader !== null ? 'nobody knows who that is' : null}
      </span>
    </>
  );
}

/** What the scan that asks could not look into. A later one of the same object does not change what is asked here. */
function NotLookedAt({ review }: { review: Review }) {
  return (
    <NotCovered
      gaps={review.notCovered}
      total={review.notCoveredTotal}
      bytes={{ scanned: review.bytesScanned, total: review.bytesTotal }}
      hasFindings={review.findings.length > 0}
    />
  );
}

function Decide({ review }: { review: Review }) {
  const [asking, setAsking] = useState<string>();
  const client = useQueryClient();
  const [reason, setReason] = useState('');
  const [form, setForm] = useState<FormValues>({});
  const me = useSession().data?.id;
  // Who may not decide may still ask back or give it to somebody, unless they only look on.
  const isDecider = useMay('analyst', 'approver');
  const isGranted = useIsGranted(review.queue);
  const mayAct = isDecider || isGranted;
  const refresh = () => client.invalidateQueries({ queryKey: ['review', review.id] });
  const act = useMutation({
    mutationFn: ({ verb, body }: { verb: string; body?: unknown }) =>
      call(`/api/v1/reviews/${review.id}/${verb}`, { method: 'POST', body: body ?? {} }),
    onSettled: refresh,
  });
  const wrong = fieldProblems(review.form, act.error instanceof ApiError ? act.error.fields : []);
  return (
    <form className="card decide" onSubmit={(event) => event.preventDefault()}>
      <h2>Your decision</h2>
      <Standing review={review} />
      {review.keptFrom === null ? (
        <>
          {review.form === null ? null : (
            <SchemaForm schema={review.form} values={form} problems={wrong.byField} onChange={setForm} />
          )}
          <label>
            Reason <span className="quiet">(kept in the record)</span>
            <textarea rows={3} value={reason} onChange={(event) => setReason(event.target.value)} />
          </label>
          {review.outcomes.map((outcome) => (
            <div key={outcome.name} className="outcome">
              <button
                type="button"
                className={outcome.tone}
                aria-describedby={`effect-${outcome.name}`}
                disabled={act.isPending || (outcome.needsReason && reason.trim() === '')}
                onClick={() =>
                  outcome.tone === 'danger' && asking !== outcome.name
                    ? setAsking(outcome.name)
                    : act.mutate({
                        verb: 'decide',
                        body: {
                          outcome: outcome.name,
                          reason,
                          digest: review.subjectDigest,
                          ...(Object.keys(form).length === 0 ? {} : { form }),
                        },
                      })
                }
              >
                {asking === outcome.name ? `Really ${outcome.label.toLowerCase()}` : outcome.label}
              </button>
              <span id={`effect-${outcome.name}`} className="quiet">
                {outcome.effect}
                {outcome.needsReason && reason.trim() === '' ? (
                  <strong className="needs">Needs a reason.</strong>
                ) : null}
              </span>
            </div>
          ))}
        </>
      ) : (
        <p className="notice">{visible(review.keptFrom)}</p>
      )}
      <div className="row">
        {review.keptFrom === null && (review.claim === null || review.state === 'ASSIGNED') ? (
          <button type="button" disabled={act.isPending} onClick={() => act.mutate({ verb: 'claim' })}>
            Claim
          </button>
        ) : null}
        {review.claim === null || (review.keptFrom !== null && review.claim.by.id !== me) ? null : (
          <button type="button" disabled={act.isPending} onClick={() => act.mutate({ verb: 'release' })}>
            Give back
          </button>
        )}
        {review.votes.some(({ by }) => by.id === me) ? (
          <button type="button" disabled={act.isPending} onClick={() => act.mutate({ verb: 'withdraw' })}>
            Take my vote back
          </button>
        ) : null}
      </div>
      {mayAct ? <MoreActions review={review} disabled={act.isPending} onAct={act.mutate} /> : null}
      {act.error === null || !wrong.hasOthers ? null : (
        <p className="problem" role="alert">
          {act.error.message}
        </p>
      )}
    </form>
  );
}

function Outcome({ review }: { review: Review }) {
  const { decision, cancelled, votes } = review;
  return (
    <div className="card">
      <h2>Decided</h2>
      {decision === null ? null : (
        <>
          <p className="question">{decision.label}</p>
          <p>
            by {decision.by.name}, {when(decision.at)}
            {decision.via === 'system' ? null : `, through ${decision.via}`}
          </p>
          {votes.length > 1 ? <Votes of={votes} /> : null}
          {decision.isAutomatic ? <p className="notice">The clock decided, not a person.</p> : null}
          {decision.reason === '' ? null : <p>“{visible(decision.reason)}”</p>}
          {votes.length > 1 ? null : <FilledInForm of={decision.form} />}
          {decision.completion === 'late' ? (
            <p className="problem">The workflow had ended before: {decision.completionNote}</p>
          ) : null}
        </>
      )}
      {cancelled === null ? null : (
        <p>
          Cancelled {when(cancelled.at)}: {cancelled.reason}
        </p>
      )}
    </div>
  );
}

const SAYS = ['text', 'question', 'answer', 'name', 'reason'] as const;

/** What somebody said with it, in their words. */
function Said({ data }: { data: Readonly<Record<string, unknown>> }) {
  const said = SAYS.map((name) => data[name]).filter((value) => typeof value === 'string' && value !== '');
  return said.length === 0 ? null : <p className="said">{visibleLines(said.join(' – '))}</p>;
}

/** ` to Alice`, of whoever was given it. */
function toWhom({ to }: Readonly<Record<string, unknown>>): string {
  if (typeof to !== 'object' || to === null || !('name' in to) || typeof to.name !== 'string') return '';
  return ` to ${visible(to.name)}`;
}

function Timeline({ review }: { review: Review }) {
  return (
    <div className="card">
      <h2>Timeline</h2>
      <ol className="timeline">
        {review.timeline.map((event) => (
          <li key={`${event.at}:${event.kind}:${event.by.id}`}>
            <strong>{eventWords(event.kind)}</strong> by {event.by.name}
            {toWhom(event.data)}{' '}
            <span className="quiet">
              {event.via === 'system' ? null : `through ${event.via}, `}
              {when(event.at)}
            </span>
            <Said data={event.data} />
            <Mentions data={event.data} />
          </li>
        ))}
      </ol>
    </div>
  );
}
