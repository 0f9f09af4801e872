import type { KnownSettings } from './known-settings.js';
import { VARIABLES } from './known-settings.js';
import { WANTED_SCOPES } from './scopes.js';
import { isOfOtherApp, OTHER_APP_REMEDY, socketRemedyOf } from './socket-remedies.js';
import type { SettingName } from './sql/stored-settings.js';

/** Something that keeps Slack from being whole, as a sentence, and what mends it. */
export interface Missing {
  readonly what: string;
  readonly remedy: string;
  /** Without it reviews are not shown or not answered in Slack; the others take only a part away. */
  readonly isNeeded: boolean;
}

/** What is known without asking Slack. */
export interface LocalFacts {
  readonly known: KnownSettings;
  readonly publicUrl: string;
  /** Queues with a channel of their own. */
  readonly routes: number;
}

/** What Slack, the nodes and the database tell. */
export interface AskedFacts extends LocalFacts {
  /** Why the bot token is of no use. */
  readonly tokenRefused?: string | undefined;
  /** Why Slack could not be asked. */
  readonly unreachable?: string | undefined;
  /** Since messages failed by the workspace as a whole: why, and what mends it. */
  readonly workspaceBroken?: { readonly reason: string; readonly remedy: string } | undefined;
  /** Empty when Slack did not list them. */
  readonly scopes: readonly string[];
  /** `undefined` where no connection is wanted. */
  readonly connected?: boolean | undefined;
  readonly connectionError?: string | undefined;
  /** The app of the bot token and that of the connection, as far as Slack tells them. */
  readonly botApp?: string | undefined;
  readonly connectedApp?: string | undefined;
  /** Requests of the last minutes that another secret signed, where ours signed none. */
  readonly otherSecret?: number | undefined;
  readonly channels: readonly {
    readonly id: string;
    readonly name: string | null;
    readonly trouble: { readonly fact: string; readonly remedy: string } | null;
  }[];
  /** People who may decide, and how many of them have linked an account. */
  readonly people: { readonly deciders: number; readonly bound: number };
}

const needed = (what: string, remedy: string): Missing => ({ what, remedy, isNeeded: true });
const lesser = (what: string, remedy: string): Missing => ({ what, remedy, isNeeded: false });

const SET_IT = 'Set it on the page Slack, by sallyport slack setup, or as';

/** What is missing as far as it shows without Slack; for a service that is to use Slack. Pure. */
export function missingLocally({ known, publicUrl, routes }: LocalFacts): Missing[] {
  const missing: Missing[] = [];
  for (const [name, { problem }] of Object.entries(known) as [SettingName, { problem?: string }][])
    if (problem !== undefined)
      missing.push(needed(`${NAMES[name]} cannot be used: ${problem}`, 'Set it anew.'));
  const has = (name: SettingName): boolean => known[name]?.value !== undefined;
  if (!has('botToken') && known.botToken === undefined)
    missing.push(needed('There is no bot token.', `${SET_IT} ${VARIABLES.botToken} (xoxb-…).`));
  if (!has('appToken') && !has('signingSecret'))
    missing.push(
      needed(
        'Nothing comes in: there is neither an app token (Socket Mode) nor a signing secret (HTTP).',
        `${SET_IT} ${VARIABLES.appToken} (xapp-…), which works behind a firewall.`,
      ),
    );
  if (!has('channel') && routes === 0)
    missing.push(needed('There is no channel to post to.', `${SET_IT} ${VARIABLES.channel} (C…).`));
  else if (!has('channel'))
    missing.push(
      lesser(
        'There is no default channel: reviews of queues without a channel of their own are not posted.',
        `${SET_IT} ${VARIABLES.channel} (C…).`,
      ),
    );
  if (!has('appToken') && has('signingSecret') && !publicUrl.startsWith('https://'))
    missing.push(
      needed(
        `Slack posts to https addresses only, and PUBLIC_URL is ${publicUrl}.`,
        'Set PUBLIC_URL to the https address at which Slack reaches this service, or use an app token.',
      ),
    );
  if (isLoopback(publicUrl))
    missing.push(
      lesser(
        `Links in Slack lead to ${publicUrl}, which others cannot open.`,
        'Set PUBLIC_URL to the address at which people reach this service.',
      ),
    );
  return missing;
}

/** Everything that is missing, the gravest first. Pure. */
export function whatIsMissing(facts: AskedFacts): Missing[] {
  const missing = missingLocally(facts);
  if (facts.known.botToken?.value !== undefined) missing.push(...missingAtSlack(facts));
  return missing.toSorted((a, b) => Number(b.isNeeded) - Number(a.isNeeded));
}

function missingAtSlack(facts: AskedFacts): Missing[] {
  const missing = tokenTroubles(facts.tokenRefused, facts.unreachable);
  if (facts.tokenRefused !== undefined) return missing;
  if (missing.length === 0 && facts.workspaceBroken !== undefined)
    missing.push(
      needed(`Slack takes no messages (${facts.workspaceBroken.reason}).`, facts.workspaceBroken.remedy),
    );
  if (facts.connected === true && isOfOtherApp(facts.connectedApp, facts.botApp))
    missing.push(
      needed(
        `The app token is of the app ${facts.connectedApp ?? ''} and the bot token of ${facts.botApp ?? ''}: reviews are posted, and no click arrives.`,
        OTHER_APP_REMEDY,
      ),
    );
  if (facts.connected === false)
    missing.push(
      needed(
        `No node is connected to Slack (${facts.connectionError ?? 'not yet'}).`,
        socketRemedyOf(facts.connectionError ?? '') ??
          'Check the app token (scope connections:write), that Socket Mode is on for the app, and that a node with the role notify runs.',
      ),
    );
  if ((facts.otherSecret ?? 0) > 0) missing.push(otherSecret(facts.otherSecret ?? 0));
  for (const { scope, without, isOptional } of facts.scopes.length === 0 ? [] : WANTED_SCOPES) {
    if (facts.scopes.includes(scope)) continue;
    const what = `The scope ${scope} is missing: ${without}.`;
    if (!isOptional)
      missing.push({
        what,
        remedy: 'Add it under OAuth & Permissions and install the app again.',
        isNeeded: scope === 'chat:write' || scope === 'users:read',
      });
  }
  for (const { id, name, trouble } of facts.channels)
    if (trouble !== null) missing.push(needed(`The channel ${name ?? id} ${trouble.fact}.`, trouble.remedy));
  const { deciders, bound } = facts.people;
  if (bound < deciders)
    missing.push(
      lesser(
        bound === 0
          ? 'Nobody has linked a Slack account, so nobody can decide there yet.'
          : `${deciders - bound} of ${deciders} people who may decide have not linked a Slack account.`,
        'Propose accounts by e-mail (on the page Slack, or by sallyport slack people --propose), or let each click a button of a review.',
      ),
    );
  return missing;
}

/** What a look at the bot token shows that keeps everything from working; at most one. */
export function tokenTroubles(refused: string | undefined, unreachable: string | undefined): Missing[] {
  if (refused !== undefined) return [needed(`The bot token is of no use: ${refused}`, 'Set the new one.')];
  if (unreachable === undefined) return [];
  return [
    needed(
      `Slack does not answer (${unreachable}).`,
      'Check that this machine may reach Slack; it is tried again by itself.',
    ),
  ];
}

/** Lesser, since it may only be somebody who posts garbage. */
export const otherSecret = (requests: number): Missing =>
  lesser(
    `${requests === 1 ? '1 request' : `${requests} requests`} to /slack/… came in the last ten minutes with a signature that does not match the signing secret (set on the page Slack or as SLACK_SIGNING_SECRET), and none with one that does.`,
    'If clicks in Slack do nothing, the secret is wrong: set the Signing Secret of this app (Basic Information). Anybody can send such requests; when clicks work there is nothing to mend.',
  );

const NAMES: Readonly<Record<SettingName, string>> = {
  botToken: 'The bot token',
  appToken: 'The app token',
  signingSecret: 'The signing secret',
  channel: 'The channel',
};

const isLoopback = (url: string): boolean => /^https?:\/\/(127\.|localhost|\[::1\])/.test(url);
