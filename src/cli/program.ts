import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { seeHelp, type Cli } from './cli.js';
import { CommandError } from './command-error.js';
import { addAbsences } from './commands/absences.js';
import { addBackfill } from './commands/backfill.js';
import { addBackup } from './commands/backup.js';
import { addBaseline } from './commands/baseline.js';
import { addBucket } from './commands/bucket.js';
import { addCalendars } from './commands/calendars.js';
import { addConnect } from './commands/connect.js';
import { addDoctor } from './commands/doctor.js';
import { addEndpoint } from './commands/endpoint.js';
import { addExceptions } from './commands/exceptions.js';
import { addFindings } from './commands/findings.js';
import { addGrants } from './commands/grants.js';
import { addGroups } from './commands/groups.js';
import { addHolds } from './commands/holds.js';
import { addKeys } from './commands/keys.js';
import { addObjects } from './commands/objects.js';
import { addEventQueues } from './commands/event-queues.js';
import { addMail } from './commands/mail.js';
import { addProcess } from './commands/process.js';
import { addQueue } from './commands/queue.js';
import { addRejects } from './commands/rejects.js';
import { addRemedies } from './commands/remedies.js';
import { addAudit } from './commands/audit.js';
import { addEvidence } from './commands/evidence.js';
import { addReport } from './commands/report.js';
import { addRestore } from './commands/restore.js';
import { addReview } from './commands/review.js';
import { addScan } from './commands/scan.js';
import { addSchedule } from './commands/schedule.js';
import { addSlack } from './commands/slack.js';
import { addStatus } from './commands/status.js';
import { addTrigger } from './commands/trigger.js';
import { addUsers } from './commands/users.js';
import { addWorkflow } from './commands/workflow.js';

const { version: VERSION } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { version: string };

/** Every group of commands, in the order of the help. A new one is a file in commands/ and a line here. */
const GROUPS: readonly ((program: Command, cli: Cli) => void)[] = [
  addStatus,
  addScan,
  addObjects,
  addReview,
  addAbsences,
  addCalendars,
  addQueue,
  addWorkflow,
  addProcess,
  addReport,
  addEvidence,
  addHolds,
  addAudit,
  addBackup,
  addRestore,
  addBucket,
  addEndpoint,
  addTrigger,
  addSchedule,
  addRejects,
  addConnect,
  addEventQueues,
  addMail,
  addSlack,
  addDoctor,
  addBackfill,
  addBaseline,
  addExceptions,
  addFindings,
  addRemedies,
  addUsers,
  addGroups,
  addGrants,
  addKeys,
];

const ENVIRONMENT = `
Every command takes --help, and --json for programs. Exit code 0: done; 1: done, and the answer is no (not
completed, not clean); 2: the command failed, and says on stderr what mends it.

SALLYPORT_URL      the service; unset: the one that keeps .sallyport here, wherever it listens
                   (SALLYPORT_HOME names another folder)
SALLYPORT_API_KEY  keyId:keySecret; the one in .sallyport/credentials.json is found, and sent
                   to that service alone
NO_COLOR           set: no colours`;

/** Does what the arguments ask for; the exit code is the cli's. @throws CommandError */
export async function perform(args: readonly string[], cli: Cli): Promise<void> {
  const program = programOf(cli);
  if (args.length === 0) return program.outputHelp();
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version were asked for and are printed.
    if (error.exitCode === 0) return;
    throw new CommandError(refusalOf(error, commandOf(program, args)), { cause: error });
  }
}

/** Every command there is. */
export function programOf(cli: Cli): Command {
  const program = new Command('sallyport')
    .description('scans what is uploaded to S3, and steers what comes of it')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'say how a command is written')
    .helpCommand('help [command]', 'say how a command is written')
    // An option belongs to the command before it: `--version 2` of a start is no question for ours.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => cli.out(text.trimEnd()),
      // A refusal is thrown, and told once.
      writeErr: () => undefined,
      getOutHasColors: () => false,
    })
    .addHelpText('after', ENVIRONMENT)
    .hook('preAction', (_, command) => cli.begin(command));
  for (const add of GROUPS) add(program, cli);
  addJson(program);
  return program;
}

/** `--json` is understood wherever it is written. */
function addJson(command: Command): void {
  command.option('--json', 'answer with JSON');
  for (const child of command.commands) addJson(child);
}

/** The command that the arguments name, as deep as they do. */
function commandOf(program: Command, args: readonly string[]): Command {
  let command = program;
  for (const arg of args) {
    const child = command.commands.find((one) => one.name() === arg || one.aliases().includes(arg));
    if (child === undefined) {
      if (arg.startsWith('-')) continue;
      break;
    }
    command = child;
  }
  return command;
}

function refusalOf(error: CommanderError, command: Command): string {
  const help = seeHelp(command);
  if (error.code === 'commander.help') {
    const names = command.commands.map((child) => child.name()).join(', ');
    return `${command.name()}: say which of ${names}. ${help}`;
  }
  const sentence = error.message.replace(/^error: /, '').replaceAll('\n', ' ');
  const where = command.parent === null ? '' : `${command.name()}: `;
  return `${where}${sentence}${/[.)?]$/.test(sentence) ? '' : '.'} ${help}`;
}
