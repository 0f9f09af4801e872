import type { ServiceProcess } from '../../test/support/service-process.js';
import type { FakeSlack } from '../../test/support/slack/fake-slack.js';
import type { Somebody } from './people.js';

/** What whoever tries it sees first: where everything is, and three things to do. */
export const screen = ({
  service,
  slack,
  you,
  seconds,
}: {
  service: ServiceProcess;
  slack: FakeSlack;
  you: Somebody;
  seconds: number;
}): string => `
  Sallyport is ready, with a week behind it (${seconds} s).

  You are ${you.name}. Three uploads wait for you; approve each in another way:

    1. in the chat      ${slack.page()}?as=${you.slack.id}
                        Approve, say why, done
    2. by mail          ${service.url}/mailbox
                        open the mail to ${you.email}, follow its link, type its code
    3. on the web       ${service.url}/reviews

  Log in with  ${you.login}  /  ${you.password}

  The chat is a stand-in for Slack; nothing leaves this machine. Ctrl-C ends and removes all of it.
`;
