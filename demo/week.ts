import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { parseArgs } from 'node:util';
import { ServiceProcess } from '../test/support/service-process.js';
import { FakeSlack } from '../test/support/slack/fake-slack.js';
import { reportOfTheWeek } from './week/report.js';
import { seedWeek } from './week/seed.js';
import { screen } from './week/screen.js';
import { watchApprovals } from './week/watch.js';

/**
 * Everything at once, without any account elsewhere: the service with its embedded parts, a stand-in for Slack that can
 * be clicked, the mailbox, and a week of work behind it. Three questions are open for whoever tries it. Goes on until
 * Ctrl-C.
 */
export async function demo(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: { type: 'string', default: process.env['PORT'] ?? '8080' },
      's3-port': { type: 'string', default: process.env['S3_PORT'] ?? '9000' },
      'chat-port': { type: 'string', default: '8090' },
      days: { type: 'string', default: '7' },
      help: { type: 'boolean', default: false },
    },
  });
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  if (values.help) {
    say(HELP);
    return true;
  }
  for (const option of ['port', 's3-port', 'chat-port'] as const)
    await refuseTaken(option, portIn(`--${option}`, values[option]));
  const began = performance.now();
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-demo-'));
  chmodSync(folder, 0o711);
  const slack = await FakeSlack.start({ port: portIn('--chat-port', values['chat-port']) });
  const ports = { port: portIn('--port', values.port), s3Port: portIn('--s3-port', values['s3-port']) };
  const service = ServiceProcess.at(join(folder, 'home'), ports, {
    SLACK_BOT_TOKEN: slack.botToken,
    SLACK_APP_TOKEN: slack.appToken,
    SLACK_CHANNEL: slack.channel,
    SLACK_API_URL: slack.apiUrl,
  });
  const stopped = interrupted();
  try {
    const days = daysIn(values.days);
    const you = await seedWeek(service, slack, { days, say });
    say(screen({ service, slack, you, days, seconds: Math.round((performance.now() - began) / 1000) }));
    await watchApprovals(service, say, stopped.signal);
    if (!stopped.signal.aborted) await reportOfTheWeek(service, folder, { days, say });
    if (!stopped.signal.aborted) await once(stopped.signal, 'abort');
    return true;
  } catch (error) {
    if (stopped.signal.aborted) return true;
    // Its log alone: the banner has passwords.
    const log = service.printed.split('\n').filter((line) => line.startsWith('{'));
    say(log.slice(-10).join('\n'));
    throw error;
  } finally {
    await service.stop();
    await slack.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const HELP = `npm run demo [-- OPTIONS]

  --port N       of the service (8080, or PORT)
  --s3-port N    of its S3 endpoint (9000, or S3_PORT)
  --chat-port N  of the chat (8090)
  --days N       that lie behind it, 1 to 7 (7)`;

function interrupted(): AbortController {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());
  return stopping;
}

function daysIn(text: string): number {
  const days = Number(text);
  if (Number.isInteger(days) && days >= 1 && days <= 7) return days;
  throw new Error(`--days ${text} is no number of days; give one from 1 to 7.`);
}

/** Before anything is started: whoever runs the service already is told so at once. */
async function refuseTaken(option: string, port: number): Promise<void> {
  const probe = createServer();
  try {
    probe.listen(port, '127.0.0.1');
    await once(probe, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    // A refusal is said without its stack.
    throw Object.assign(
      new Error(
        `The port ${port} is taken, perhaps by a service that runs already. Stop it, or choose another: npm run demo -- --${option} ${port + 10}`,
      ),
      { isRefusal: true },
    );
  } finally {
    probe.close();
  }
}

function portIn(option: string, text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new Error(`${option} ${text} is no port; give a number from 1 to 65535.`);
}
