import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../src/cli/run.js';
import { eventually } from '../support/eventually.js';
import { FormBrowser, hiddenFields } from '../support/form-browser.js';
import { ServiceProcess } from '../support/service-process.js';
import { buttonsOf, FakeSlack, textOf, type FakeMessage } from '../support/slack/fake-slack.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const PASSWORD = 'correct horse battery';
const alice = { id: 'U0ALICE', name: 'alice.w' };
const APPROVE = 'review.decide:approve';

/** Alice has an account here; what she has in Slack is of the same address. */
const addAlice = (service: ServiceProcess): Promise<unknown> =>
  service.api('/api/v1/users', {
    method: 'POST',
    body: { name: 'alice', email: 'alice@example.com', roles: ['analyst'], password: PASSWORD },
  });

/** Alice signs in and confirms what her direct message proposes. */
async function confirm(service: ServiceProcess, message: FakeMessage): Promise<void> {
  const browser = new FormBrowser(service.url);
  await browser.logIn({ name: 'alice', password: PASSWORD });
  const link = new URL(buttonsOf(message.blocks)[0]?.['url'] as string);
  const { location } = await browser.get(link.pathname + link.search);
  const { html } = await browser.get(location);
  const linked = await browser.post(link.pathname, hiddenFields(html));
  expect(linked.html).toContain('Linked');
}

describe('Slack on the command line, against a whole service', () => {
  let folder: string;
  let slack: FakeSlack;
  let service: ServiceProcess;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-slack-'));
    chmodSync(folder, 0o711);
    slack = await FakeSlack.start();
    slack.addUser({ ...alice, email: 'alice@example.com' });
    slack.addChannel({ id: 'C0SEC', name: 'security', botIsMember: false });
    slack.scopes = [...slack.scopes.filter((scope) => scope !== 'chat:write.public'), 'channels:join'];
    service = await ServiceProcess.on(join(folder, 'home'), { SLACK_API_URL: slack.apiUrl });
    await service.start();
    await addAlice(service);
  }, 120_000);
  afterAll(async () => {
    await service.stop();
    await slack.close();
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  interface Running {
    readonly child: ChildProcess;
    readonly said: { out: string; err: string };
    readonly ended: Promise<number | null>;
  }

  /** The built command as a process of its own, with what is piped into it. */
  function start(input: string, ...args: string[]): Running {
    const child = spawn(process.execPath, [main, 'slack', ...args], {
      env: { PATH: process.env['PATH'] ?? '', SALLYPORT_URL: service.url, SALLYPORT_HOME: service.home },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const said = { out: '', err: '' };
    child.stdout.on('data', (chunk: Buffer) => (said.out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (said.err += chunk.toString()));
    child.stdin.end(input);
    return { child, said, ended: new Promise((resolve) => child.on('close', resolve)) };
  }
  const say = async (...args: string[]) => {
    const lines: string[] = [];
    const notes: string[] = [];
    const code = await run(
      ['slack', ...args],
      { SALLYPORT_URL: service.url, SALLYPORT_HOME: service.home },
      {
        out: (line) => void lines.push(line),
        note: (line) => void notes.push(line),
        style: { colour: false },
      },
    );
    return { code, text: lines.join('\n'), notes: notes.join('\n') };
  };

  const direct = () => slack.messages.find(({ channel }) => channel.startsWith('D'));
  const question = () =>
    slack.messages.find(({ channel, blocks }) => channel === 'C0SEC' && textOf(blocks).includes('TEST by'));

  it('prints the manifest as the JSON that Slack takes, and nothing else', async () => {
    const { text } = await say('manifest', '--name', 'Gatekeeper', '--command', '/gate');
    expect(JSON.parse(text)).toMatchObject({
      display_information: { name: 'Gatekeeper' },
      features: { slash_commands: [{ command: '/gate' }] },
      settings: { socket_mode_enabled: true },
    });
    await expect(say('manifest', '--http')).rejects.toThrow(/PUBLIC_URL/);
    await expect(say('manifest', '--command', 'gate')).rejects.toThrow(/--command.*\/sallyport/);
  });

  it('says what is missing before anything is set, and exits with 1', async () => {
    const { code, text } = await say('status');
    expect(code).toBe(1);
    expect(text).toMatch(/MISSING {2}There is no bot token\.\n +> Set it on the page Slack/);
  });

  it('goes from nothing to a test review that is answered in Slack, with no token on any command line', async () => {
    const began = performance.now();
    const { child, said, ended } = start(
      `${slack.botToken}\n${slack.appToken}\n`,
      'setup',
      '--bot-token-stdin',
      '--app-token-stdin',
      '--channel=#security',
      '--ask=alice',
      '--timeout=120',
    );
    const seen = { timeoutMs: 60_000 };
    const proposal = await eventually(direct, { ...seen, what: 'a direct message' }).catch(
      (error: unknown) => {
        throw new Error(`${said.out}${said.err}`, { cause: error });
      },
    );
    const line = readFileSync(`/proc/${child.pid}/cmdline`, 'utf8');
    await confirm(service, proposal);
    const message = await eventually(question, { ...seen, what: 'the test review' });
    await slack.click(message, APPROVE, alice);
    await eventually(() => slack.views.has(alice.id), { what: 'the form' });
    await slack.submit(alice, { reason: { text: 'it works' } });
    expect(await ended, said.err).toBe(0);

    expect(said.out).toMatch(/^Slack is set up and answered, in [\d.]+ (ms|s|min)/);
    expect(said.err).toMatch(/connected to .*\n.*reviews go to #security \(C0SEC\)/);
    expect(said.err).toMatch(/the app joined the channel/);
    expect(said.err).toMatch(/alice chose Approve by slack, [\d.]+ (ms|s) after it was asked/i);
    for (const secret of [slack.botToken, slack.appToken]) {
      expect(line).not.toContain(secret);
      expect(said.out + said.err).not.toContain(secret);
      expect(service.printed).not.toContain(secret);
    }
    // The bar is five minutes, of which people take the most.
    expect(performance.now() - began).toBeLessThan(120_000);
  }, 180_000);

  it('skips everything that is done when it is run again', async () => {
    const before = slack.messages.length;
    const { said, ended } = start('', 'setup');
    expect(await ended, said.err).toBe(0);
    expect(said.err).toMatch(/tokens were set before/);
    expect(said.err).toMatch(/reviews go to #security \(C0SEC\), as set before/);
    expect(said.err).toMatch(/1 of \d people have linked/);
    expect(said.err).toMatch(/was decided in Slack before; --again asks another/);
    expect(slack.messages).toHaveLength(before);
  }, 60_000);

  it('asks at a terminal for what is missing, tokens without showing them', async () => {
    await service.api('/api/v1/slack', { method: 'PUT', body: { appToken: null, channel: null } });
    const asked: string[] = [];
    const notes: string[] = [];
    const printed: string[] = [];
    // A slip first, then one that Slack does not know.
    const typed = ['oops', `${slack.appToken}00`, slack.appToken];
    const numbers = ['77'];
    const code = await run(
      ['slack', 'setup', '--no-test', '--no-people'],
      { SALLYPORT_URL: service.url, SALLYPORT_HOME: service.home },
      {
        out: (line) => void printed.push(line),
        note: (line) => void notes.push(line),
        style: { colour: false },
        askSecret: async (words) => {
          asked.push(words);
          return typed.shift() ?? '';
        },
        ask: async (words) => {
          asked.push(words);
          const row = notes.find((line) => /^\d+ +security /.test(line)) ?? '';
          return numbers.shift() ?? row.split(' ')[0] ?? '';
        },
      },
    );
    expect(code).toBe(0);
    expect(asked).toMatchObject(
      [/App-Level Token/, /App-Level Token/, /App-Level Token/, /Which channel/, /Which channel/].map(
        (pattern) => expect.stringMatching(pattern) as string,
      ),
    );
    expect(notes.join('\n')).toMatch(/It must begin with xapp-[^]*invalid_auth[^]*There is no number 77/);
    expect(printed.filter((line) => line.includes('socket_mode_enabled'))).toHaveLength(1);
    // As it stands, so that it can be copied.
    expect(JSON.parse(printed[0] ?? '')).toMatchObject({ settings: { socket_mode_enabled: true } });
    expect((await say('status')).text).toMatch(/C0SEC +security +\(default\) +works/);
  }, 60_000);

  it('says why it cannot go on: a token that Slack refuses, nobody who can be asked', async () => {
    const unknown = `${slack.botToken}00`;
    const { said, ended } = start(`${unknown}\n`, 'set', '--bot-token-stdin');
    expect(await ended).toBe(2);
    expect(said.err).toMatch(/Slack does not know this token/);
    expect(said.err).not.toContain(unknown);
    await service.api('/api/v1/slack', { method: 'PUT', body: { appToken: null } });
    const alone = start('', 'setup');
    expect(await alone.ended).toBe(2);
    expect(alone.said.err).toMatch(/Nobody can be asked here\. Pipe it in with --app-token-stdin/);
    await service.api('/api/v1/slack', { method: 'PUT', body: { appToken: slack.appToken } });
  }, 60_000);

  it('takes a token, and with it the channel by its name', async () => {
    await service.api('/api/v1/slack', { method: 'PUT', body: { botToken: null, channel: null } });
    const { said, ended } = start(
      `${slack.botToken}\n`,
      'set',
      '--bot-token-stdin',
      '--channel',
      '#security',
    );
    expect(await ended, said.err).toBe(0);
    expect((await say('status')).text).toMatch(/C0SEC +security +\(default\)/);
  }, 60_000);

  it('lists channels, routes a queue by a channel’s name, probes it and lets it go', async () => {
    expect((await say('channels')).text).toMatch(/C0SEC +security +public +can be posted to/);
    expect((await say('route', 'payments', '#security')).text).toMatch(
      /^Reviews of payments go to security\.\nnote +Nothing sends reviews to the queue payments yet: .*known are default, channel-test, /,
    );
    expect((await say('route', 'findings', '#security')).text).toBe('Reviews of findings go to security.');
    await say('unroute', 'findings');
    expect((await say('status')).text).toMatch(/C0SEC +security +\(default\), payments/);
    await expect(say('route', 'payments', '#nowhere')).rejects.toThrow(/sees no channel of this name/);
    expect((await say('unroute', 'payments')).text).toMatch(/go to the default channel/);
    const probed = await say('probe', '#security');
    expect(probed).toMatchObject({
      code: 0,
      text: expect.stringMatching(/posted +yes\ntaken away +yes/) as string,
    });
    slack.addChannel({ id: 'C0OLD', name: 'old', archived: true });
    expect(await say('probe', 'C0OLD')).toMatchObject({
      code: 1,
      text: expect.stringMatching(/is_archived/) as string,
    });
  }, 60_000);

  it('lists who linked an account, and unlinks one', async () => {
    expect((await say('people')).text).toMatch(/alice +alice\.w +\S+\/U0ALICE +member/);
    expect((await say('people', '--proposed')).text).toMatch(/alice +linked +alice\.w/);
    await expect(say('unlink', 'nobody')).rejects.toThrow(/no account of this id or name.*say the id \(U…\)/);
    expect((await say('unlink', 'alice.w')).text).toBe('U0ALICE speaks for alice no more.');
    await expect(say('unlink', 'U0ALICE')).rejects.toThrow(/no account of this id/);
    expect((await say('people', '--propose')).text).toMatch(/alice +asked now/);
  }, 60_000);
});

describe('Slack by signed HTTP, set up on the command line', () => {
  it('goes to an answered review without Socket Mode', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-slack-http-'));
    chmodSync(folder, 0o711);
    const slack = await FakeSlack.start();
    slack.addUser({ ...alice, email: 'alice@example.com' });
    const service = await ServiceProcess.on(join(folder, 'home'), {
      SLACK_API_URL: slack.apiUrl,
      // Of the proxy in front of it, as Slack would see it.
      PUBLIC_URL: 'https://sallyport.example.com',
    });
    slack.useHttp({
      interactionsUrl: `${service.url}/slack/interactions`,
      commandsUrl: `${service.url}/slack/commands`,
      eventsUrl: `${service.url}/slack/events`,
    });
    try {
      await service.start();
      await addAlice(service);
      const lines: string[] = [];
      const notes: string[] = [];
      const running = run(
        [
          'slack',
          'setup',
          '--http',
          '--bot-token-stdin',
          '--signing-secret-stdin',
          '--channel',
          slack.channel,
          '--timeout',
          '60',
        ],
        { SALLYPORT_URL: service.url, SALLYPORT_HOME: service.home },
        {
          out: (line) => void lines.push(line),
          note: (line) => void notes.push(line),
          style: { colour: false },
          pipedIn: async () => `${slack.botToken}\n${slack.signingSecret}\n`,
        },
      );
      const proposal = await eventually(() => slack.messages.find(({ channel }) => channel.startsWith('D')), {
        timeoutMs: 30_000,
        what: 'a direct message',
      });
      await confirm(service, proposal);
      const message = await eventually(
        () => slack.messages.find(({ blocks }) => textOf(blocks).includes('TEST by')),
        { timeoutMs: 30_000, what: 'the test review' },
      );
      await slack.click(message, APPROVE, alice);
      await eventually(() => slack.views.has(alice.id), { what: 'the form' });
      await slack.submit(alice, { reason: { text: 'it works' } });
      expect(await running, notes.join('\n')).toBe(0);
      expect(lines[0]).toMatch(/^Slack is set up and answered/);
      expect(slack.connections).toBe(0);
    } finally {
      await service.stop();
      await slack.close();
      rmSync(folder, { recursive: true, force: true });
    }
  }, 120_000);
});
