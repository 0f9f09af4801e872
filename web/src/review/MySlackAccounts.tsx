import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '../api.js';
import { when } from '../format.js';
import { ConfirmButton } from '../parts/ConfirmButton.js';
import { Problem } from '../parts/Problem.js';
import { useDeed } from '../parts/useDeed.js';

interface LinkedAccount {
  readonly teamId: string;
  readonly slackUserId: string;
  readonly slackUserName: string | null;
  readonly linkedAt: string;
}
const PATH = '/api/v1/me/slack';

/** The Slack accounts that decide in the name of whoever is logged in; nothing where there never were any on this page. */
export function MySlackAccounts() {
  const { data } = useQuery({
    queryKey: [PATH],
    queryFn: () => call<{ readonly items: readonly LinkedAccount[] }>(PATH),
    retry: false,
  });
  const unlink = useDeed([PATH]);
  const [isOpen, setIsOpen] = useState(false);
  // Whoever just unlinked the last one sees what became of it.
  if (data === undefined || (data.items.length === 0 && !isOpen)) return null;
  return (
    <details className="card more" open={isOpen} onToggle={(event) => setIsOpen(event.currentTarget.open)}>
      <summary>My account in Slack</summary>
      {data.items.length === 0 ? (
        <p role="status">
          No account is linked any more. Click a button of a review in Slack, or type the command there: you
          are given a link.
        </p>
      ) : (
        <p className="quiet">What is clicked with it there counts as yours.</p>
      )}
      <ul>
        {data.items.map(({ teamId, slackUserId, slackUserName, linkedAt }) => (
          <li key={`${teamId}/${slackUserId}`}>
            {slackUserName ?? slackUserId}{' '}
            <span className="quiet">
              {slackUserId}, linked {when(linkedAt)}
            </span>{' '}
            <ConfirmButton
              label="Unlink"
              question={`Really unlink ${slackUserName ?? slackUserId}`}
              effect="It decides nothing any more. A click in Slack links it again."
              disabled={unlink.isPending}
              onConfirm={() =>
                unlink.run({
                  path: `/api/v1/slack/people/${encodeURIComponent(teamId)}/${encodeURIComponent(slackUserId)}`,
                  method: 'DELETE',
                })
              }
            />
          </li>
        ))}
      </ul>
      <Problem error={unlink.error} />
    </details>
  );
}
