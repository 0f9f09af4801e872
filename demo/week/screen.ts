import type { ServiceProcess } from '../../test/support/service-process.js';
import type { FakeSlack } from '../../test/support/slack/fake-slack.js';
import type { Somebody } from './people.js';
import { LEFT_LYING } from './seed.js';

/** What whoever tries it sees first: where everything is, and three things to do. */
export const screen = ({
  service,
  slack,
  you,
  seconds,
  days,
}: {
  service: ServiceProcess;
  slack: FakeSlack;
  you: Somebody;
  seconds: number;
  days: number;
}): string => `
  Sallyport is ready, with a week behind it (${seconds} s).

  You are ${you.name}. Three uploads wait for you; release each in another way:

    1. in the chat      ${slack.page()}?as=${you.slack.id}
                        press Release, say why, done
    2. by mail          ${service.url}/mailbox
                        open the mail about for-you/2 (they are yours, newest first), follow its link, type its code
    3. on the web       ${service.url}/reviews

${days > LEFT_LYING ? '  A question of the days before was left lying, as happens; answer it too if you like.\n\n' : ''}  Log in with  ${you.login}  /  ${you.password}

  The chat is a stand-in for Slack; nothing leaves this machine. Ctrl-C ends and removes all of it.
`;
