import { useMutation, useQueryClient } from '@tanstack/react-query';
import { ApiError, call } from '../api.js';
import { visible } from '../format.js';
import { ConfirmButton } from '../parts/ConfirmButton.js';
import { Problem } from '../parts/Problem.js';
import { ShowMore } from '../parts/ShowMore.js';
import { State } from '../parts/State.js';
import { useDeed } from '../parts/useDeed.js';
import { usePages } from '../parts/usePages.js';
import { PROPOSALS, STATUS, type Proposal } from './status.js';

interface Proposed {
  readonly items: readonly Proposal[];
  readonly nextCursor: string | null;
}

// Slack lets about fifty addresses be looked for in a minute; each call of ours is up to ten.
const MAX_CALLS = 500;
const MAX_TRIES = 20;
const WAIT_MS = 15_000;

/** Whose Slack account speaks for whom, and who was asked. */
export function SlackPeople({
  teamId,
  mayPropose,
  mayUnlink,
}: {
  teamId: string;
  mayPropose: boolean;
  mayUnlink: boolean;
}) {
  const { items, error, hasNextPage, fetchNextPage, isFetchingNextPage } = usePages<Proposal>(
    PROPOSALS,
    {},
    10_000,
  );
  const client = useQueryClient();
  const propose = useMutation({
    mutationFn: proposeAll,
    onSettled: () =>
      Promise.all([STATUS, PROPOSALS].map((list) => client.invalidateQueries({ queryKey: [list] }))),
  });
  return (
    <section aria-labelledby="slack-people">
      <div className="heading">
        <h2 id="slack-people">People</h2>
        <span className="quiet">who may decide, and the Slack accounts that speak for them</span>
        {mayPropose ? (
          <span className="actions">
            <button type="button" disabled={propose.isPending} onClick={() => propose.mutate()}>
              Propose accounts by e-mail
            </button>
          </span>
        ) : null}
      </div>
      <div role="status">
        {propose.isPending ? (
          <p className="quiet">Asking; Slack’s limits may make this take minutes…</p>
        ) : null}
        {propose.data === undefined ? null : (
          <p>
            {propose.data === 0
              ? 'Nobody was asked: see below why.'
              : `${propose.data} asked by a direct message. Each confirms it with one click, signed in here.`}
          </p>
        )}
      </div>
      <Problem error={propose.error ?? error} />
      {items?.length === 0 ? (
        <p className="quiet">Nobody may decide on reviews yet.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">Person</th>
              <th scope="col">State</th>
              <th scope="col">Slack account</th>
              {mayUnlink ? <th scope="col">Change</th> : null}
            </tr>
          </thead>
          <tbody>
            {items?.map((one) => (
              <PersonRow key={one.person.id} one={one} teamId={teamId} mayUnlink={mayUnlink} />
            ))}
          </tbody>
        </table>
      )}
      <ShowMore hasMore={hasNextPage} isLoading={isFetchingNextPage} onMore={() => void fetchNextPage()} />
    </section>
  );
}

function PersonRow({ one, teamId, mayUnlink }: { one: Proposal; teamId: string; mayUnlink: boolean }) {
  const unlink = useDeed([STATUS, PROPOSALS]);
  const name = visible(one.person.name);
  return (
    <tr>
      <td>{name}</td>
      <td>
        <State of={`slack_${one.state}`} />
        {one.detail === null ? null : <div className="quiet">{visible(one.detail)}</div>}
      </td>
      <td>
        {visible(one.slackUserName ?? '')} <span className="quiet">{one.slackUserId}</span>
      </td>
      {mayUnlink ? (
        <td>
          {one.state === 'linked' && one.slackUserId !== null ? (
            <ConfirmButton
              label={`Unlink ${name}`}
              question={`Really unlink ${name}`}
              effect="The account decides nothing until it is linked anew."
              disabled={unlink.isPending}
              onConfirm={() =>
                unlink.run({
                  path: `/api/v1/slack/people/${encodeURIComponent(teamId)}/${encodeURIComponent(one.slackUserId ?? '')}`,
                  method: 'DELETE',
                })
              }
            />
          ) : null}
          <Problem error={unlink.error} />
        </td>
      ) : null}
    </tr>
  );
}

/** @returns how many were asked. */
async function proposeAll(): Promise<number> {
  let asked = 0;
  let cursor: string | undefined;
  for (let calls = 0; calls < MAX_CALLS; calls++) {
    const page = await patiently(cursor);
    asked += page.items.filter(({ state }) => state === 'proposed').length;
    if (page.nextCursor === null) break;
    cursor = page.nextCursor;
  }
  return asked;
}

/** Waits out Slack's limits: whoever was asked stays asked. */
async function patiently(cursor: string | undefined): Promise<Proposed> {
  for (let tries = 1; ; tries++) {
    try {
      return await call<Proposed>(PROPOSALS, {
        method: 'POST',
        body: cursor === undefined ? {} : { cursor },
      });
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 429 || tries === MAX_TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    }
  }
}
