import { useQuery } from '@tanstack/react-query';
import { call } from '../api.js';
import { Query } from '../parts/Query.js';
import { useIs, useMay } from '../parts/useSession.js';
import { Channels } from '../slack/Channels.js';
import { Manifest } from '../slack/Manifest.js';
import { SlackPeople } from '../slack/SlackPeople.js';
import { Standing } from '../slack/Standing.js';
import { STATUS, type SlackStatus } from '../slack/status.js';
import { Tokens } from '../slack/Tokens.js';

/** How reviews get into Slack, and what is missing for that. */
export function SlackPage() {
  const isAdmin = useIs('admin');
  const isOperator = useMay('operator');
  const mayLook = useIs('auditor') || isOperator;
  const status = useQuery({
    queryKey: [STATUS],
    queryFn: () => call<SlackStatus>(STATUS),
    refetchInterval: 10_000,
    enabled: mayLook,
  });
  return (
    <section>
      <title>Slack · Sallyport</title>
      <h1>Slack</h1>
      {mayLook ? (
        <Query of={status}>
          {(data) => (
            <>
              <Standing of={data} />
              <Channels status={data} mayChange={isOperator} />
              {data.team === null ? null : (
                <SlackPeople teamId={data.team.id} mayPropose={isOperator} mayUnlink={isAdmin} />
              )}
              <Tokens settings={data.settings} mayChange={isAdmin} />
              <Manifest isOpen={!data.settings.botToken.isSet} />
            </>
          )}
        </Query>
      ) : (
        <p className="quiet">An admin, operator or auditor sees here how Slack is set up.</p>
      )}
    </section>
  );
}
