import { visible, visibleLines, when } from '../format.js';
import type { FilledIn, Review } from '../reviews.js';

const BECAUSE: Readonly<Record<string, string>> = {
  requester: 'asked for it',
  uploader: 'uploaded the object',
  definitionEditor: 'last changed the workflow',
  assigner: 'chose who decides',
};

/** Whom it asks, until when, and how far it is. */
export function Standing({ review }: { review: Review }) {
  const { asks, claim, owner, dueAt, hold, info, quorum, votes, excluded, round } = review;
  return (
    <>
      <dl className="standing">
        <dt>Asks</dt>
        <dd>
          {asks.length === 0
            ? 'everybody who may decide'
            : asks.map(({ kind, name }) => (kind === 'group' ? `group ${name}` : name)).join(', ')}
        </dd>
        {claim === null ? null : (
          <>
            <dt>{review.state === 'ASSIGNED' ? 'Given to' : 'Claimed by'}</dt>
            <dd>
              {claim.by.name} since {when(claim.at)}
              {owner === null ? null : <span className="quiet"> for {owner.name}</span>}
            </dd>
          </>
        )}
        {dueAt === null ? null : (
          <>
            <dt>Due</dt>
            <dd>{when(dueAt)}</dd>
          </>
        )}
        {quorum.approve > 1 || votes.length > 0 ? (
          <>
            <dt>Votes</dt>
            <dd>
              {votes.length} of {quorum.approve} to grant, {quorum.reject} to refuse
              {round > 1 ? <span className="quiet"> (round {round})</span> : null}
              <Votes of={votes} />
            </dd>
          </>
        ) : null}
        {excluded.length === 0 ? null : (
          <>
            <dt>Four eyes</dt>
            <dd>
              {excluded
                .map(({ name, because }) => `not ${name}, who ${BECAUSE[because] ?? because}`)
                .join('; ')}
            </dd>
          </>
        )}
      </dl>
      {hold === null ? null : (
        <p className="notice">
          On hold until {when(hold.until)}, by {hold.by.name}
          {hold.reason === '' ? '' : `: ${visible(hold.reason)}`}
        </p>
      )}
      {info === null ? null : (
        <p className="notice lines">
          {info.by.name} asks: “{visibleLines(info.question)}”
        </p>
      )}
    </>
  );
}

/** Who voted what in this round. */
export function Votes({ of: votes }: { of: Review['votes'] }) {
  return (
    <ul className="votes">
      {votes.map((vote) => (
        <li key={vote.by.id}>
          {vote.label}: {vote.by.name}
          {vote.onBehalfOf === null ? null : ` for ${vote.onBehalfOf.name}`}
          {vote.isOverride ? ' (as admin)' : ''}
          {vote.reason === '' ? null : <q>{visible(vote.reason)}</q>}
          <FilledInForm of={vote.form} />
        </li>
      ))}
    </ul>
  );
}

/** What was filled in with a vote, name by name. */
export function FilledInForm({ of: form }: { of: FilledIn }) {
  if (form === null) return null;
  return (
    <ul className="filled">
      {Object.entries(form).map(([name, value]) => (
        <li key={name}>
          {visible(name)}: <bdi>{visible(typeof value === 'string' ? value : JSON.stringify(value))}</bdi>
        </li>
      ))}
    </ul>
  );
}
