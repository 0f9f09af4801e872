import type { Command } from 'commander';
import { visible } from '../../outbound/safe-text.js';
import type { Cli } from '../cli.js';
import { CommandError } from '../command-error.js';
import { facts } from '../facts.js';
import { channelOf, channelsPath, type ChannelPage } from '../slack/channels.js';
import { addSlackPeople } from '../slack/people.js';
import { givenSecrets, type SecretOptions } from '../slack/secrets.js';
import { setUp, type SetupOptions } from '../slack/setup.js';
import { readStatus, statusLines, type SlackStatus } from '../slack/status.js';
import { connectedSoon, manifestPath, type AppWish } from '../slack/tokens-step.js';
import { table } from '../table.js';
import { wholeNumber } from '../values.js';

interface Probe {
  readonly channel: string;
  readonly posted: boolean;
  readonly removed: boolean;
  readonly durationMs: number;
  readonly reason: string | null;
  readonly remedy: string | null;
}

const SETUP_HELP = `
Run it again whenever you like: what is done is skipped. For scripts, pipe the tokens in, a line each:

  printf '%s\\n' "$BOT" "$APP" | sallyport slack setup --bot-token-stdin --app-token-stdin --channel '#reviews'`;

/** `slack setup|status|manifest|set|channels|route|unroute|probe|people|unlink`. */
export function addSlack(program: Command, cli: Cli): void {
  const group = program.command('slack').description('set Slack up, and see how it is');
  addSetup(group, cli);
  group
    .command('status')
    .description('how it is, and what is missing; exit code 1 when something that is needed is')
    .action(async () => {
      const status = await readStatus(cli);
      if (status.missing.some(({ isNeeded }) => isNeeded)) cli.exitCode = 1;
      cli.print(status, statusLines);
    });
  withApp(group.command('manifest'))
    .description('print the manifest from which Slack makes the app (JSON)')
    .action(async (wish: AppWish) => {
      // With --json too: it is what Slack is given.
      cli.out(JSON.stringify(await cli.client.call('GET', manifestPath(wish)), null, 2));
    });
  withSecrets(group.command('set'))
    .description('store tokens and the default channel; what the environment sets wins')
    .option('--channel <CHANNEL>', 'where reviews go whose queue has no channel of its own: #name or id')
    .action(async (options: SecretOptions & { channel?: string }) => {
      const secrets = await givenSecrets(cli, options);
      const hasSecrets = Object.keys(secrets).length > 0;
      if (!hasSecrets && options.channel === undefined)
        throw new CommandError('set: say what. See: sallyport slack set --help');
      // The tokens first: Slack is asked with them which channel has that name.
      let status = hasSecrets ? await put(cli, secrets) : undefined;
      if (options.channel !== undefined)
        status = await put(cli, { channel: await channelOf(cli, options.channel) });
      if (secrets.botToken !== undefined || secrets.appToken !== undefined) status = await connectedSoon(cli);
      if (status !== undefined) cli.print(status, statusLines);
    });
  addChannels(group, cli);
  addSlackPeople(group, cli);
}

const put = (cli: Cli, wanted: object): Promise<SlackStatus> =>
  cli.client.call<SlackStatus>('PUT', '/api/v1/slack', wanted);

function addSetup(group: Command, cli: Cli): void {
  withApp(withSecrets(group.command('setup')))
    .description('from the app’s manifest to a review that is answered in Slack, step by step')
    .option('--channel <CHANNEL>', 'where reviews go: #name or id; asked for when left out')
    .option('--ask <LOGIN>', 'whom the test review asks; everybody who may decide when left out')
    .option('--again', 'ask another test review although one was answered in Slack before')
    .option('--no-people', 'propose no links to people')
    .option('--no-test', 'ask no test review')
    .option('--timeout <SECONDS>', 'for the answer to it', wholeNumber('--timeout', 1, 86_400), 900)
    .addHelpText('after', SETUP_HELP)
    .action((options: SetupOptions) => setUp(cli, options));
}

function addChannels(group: Command, cli: Cli): void {
  group
    .command('channels')
    .description('list the channels that the app sees')
    .option('--name <TEXT>', 'only those whose names hold it')
    .option('--cursor <CURSOR>', 'the next page, as the last one said')
    .action(async (asked: { name?: string; cursor?: string }) => {
      const page = await cli.client.call<ChannelPage>('GET', channelsPath(asked));
      cli.print(page, ({ items }) =>
        table(
          ['ID', 'NAME', 'KIND', 'STATE'],
          items.map(({ id, name, isPrivate, trouble }) => [
            id,
            name,
            isPrivate ? 'private' : 'public',
            trouble === null ? 'can be posted to' : trouble.fact,
          ]),
        ),
      );
      cli.more(page.nextCursor ?? undefined);
    });
  group
    .command('route')
    .description('post the reviews of a queue to a channel of its own')
    .argument('<QUEUE>')
    .argument('<CHANNEL>', '#name or id')
    .action(async (queue: string, wanted: string) => {
      const channel = await channelOf(cli, wanted);
      const route = await cli.client.call<{ channelName: string | null; warning: string | null }>(
        'PUT',
        routePath(queue),
        {
          channel,
        },
      );
      cli.print(route, ({ channelName, warning }) => [
        `Reviews of ${visible(queue, 100)} go to ${visible(channelName ?? channel, 100)}.`,
        ...(warning === null ? [] : [`note  ${visible(warning, 2000)}`]),
      ]);
    });
  group
    .command('unroute')
    .description('post them to the default channel again')
    .argument('<QUEUE>')
    .action(async (queue: string) => {
      await cli.client.call('DELETE', routePath(queue));
      cli.print({ queue }, () => [`Reviews of ${visible(queue, 100)} go to the default channel.`]);
    });
  group
    .command('probe')
    .description('post a test message and take it away; exit code 1 when nothing can be posted')
    .argument('<CHANNEL>', '#name or id')
    .option('--keep', 'leave it there')
    .action(async (wanted: string, { keep }: { keep?: true }) => {
      const channel = await channelOf(cli, wanted);
      const probe = await cli.client.call<Probe>('POST', '/api/v1/slack/probe', {
        channel,
        keep: keep === true,
      });
      if (!probe.posted) cli.exitCode = 1;
      cli.print(probe, (one) =>
        facts([
          ['posted', one.posted ? 'yes' : 'no'],
          ['taken away', one.posted ? (one.removed ? 'yes' : 'no') : undefined],
          ['took', `${one.durationMs} ms`],
          ['reason', one.reason],
          ['remedy', one.remedy],
        ]),
      );
    });
}

const routePath = (queue: string): string => `/api/v1/slack/channels/${encodeURIComponent(queue)}`;

const withApp = (command: Command): Command =>
  command
    .option('--http', 'for signed HTTP requests in place of Socket Mode; needs PUBLIC_URL with https')
    .option('--name <NAME>', 'of the app; Sallyport when left out')
    .option('--command <COMMAND>', 'its slash command; /sallyport when left out');

const withSecrets = (command: Command): Command =>
  command
    .option('--bot-token-stdin', 'read the bot token (xoxb-…) from the input, a line')
    .option('--app-token-stdin', 'read the app token (xapp-…) from the input, the next line')
    .option('--signing-secret-stdin', 'read the signing secret from the input, the next line')
    .option('--from-env', 'take them from SLACK_BOT_TOKEN, SLACK_APP_TOKEN and SLACK_SIGNING_SECRET here');
