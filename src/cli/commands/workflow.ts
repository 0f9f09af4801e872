import type { Command } from 'commander';
import { visible } from '../../outbound/safe-text.js';
import type { Cli } from '../cli.js';
import { follow } from '../follow.js';
import { jsonObject } from '../json-argument.js';
import { taskLine, workflowLine, type TaskFacts, type WorkflowFacts } from '../lines.js';
import { table } from '../table.js';
import { query, wholeNumber } from '../values.js';

type Execution = WorkflowFacts & {
  readonly workflowVersion: number;
  readonly tasks: readonly TaskFacts[];
};

interface Explanation {
  readonly why: readonly { readonly sentence: string }[];
  readonly leftOut: number;
}

interface ExecutionPage {
  readonly items: readonly (WorkflowFacts & { readonly workflowVersion: number })[];
  readonly nextCursor?: string;
}

// Names and ids in it may have 255 characters each.
const MAX_SENTENCE = 2_000;

/** `workflow start|get|list|…`, and the same without the word before it, as it was spelt at first. */
export function addWorkflow(program: Command, cli: Cli): void {
  const group = program.command('workflow').description('start workflows, look at them, steer them');
  addCommands(group, cli, {});
  addList(group, cli);
  addCommands(program, cli, { hidden: true });
}

function addCommands(parent: Command, cli: Cli, spelling: { hidden?: boolean }): void {
  parent
    .command('start', spelling)
    .description('start a workflow; prints its id')
    .argument('<NAME>', 'the name of its definition')
    .option('--version <N>', 'of the definition; the newest by default', wholeNumber('--version', 1, 2 ** 31))
    .option('--input <JSON>', 'the input, or @FILE that holds it')
    .option('--follow', 'show what happens until it ends; exit code 0: completed, 1: ended otherwise')
    .action(
      async (name: string, options: { version?: number; input?: string; follow?: true }): Promise<void> => {
        const { version, input } = options;
        const id = await cli.client.call<string>('POST', '/api/workflow', {
          name,
          input: input === undefined ? {} : jsonObject('--input', input),
          ...(version === undefined ? {} : { version }),
        });
        if (options.follow !== true) return cli.print({ workflowId: id }, () => [id]);
        // One line each, as those that follow.
        cli.out(cli.json ? JSON.stringify({ workflowId: id }) : id);
        await followed(cli, id);
      },
    );
  // In the group it is called as Conductor's clients call it; `show` is the first spelling.
  parent
    .command(spelling.hidden === true ? 'show' : 'get', spelling)
    .description('show a workflow with its steps')
    .argument('<ID>')
    .action((id: string) => get(cli, id));
  parent
    .command('follow', spelling)
    .description('show what happens until it ends; exit code 0: completed, 1: ended otherwise')
    .argument('<ID>')
    .action((id: string) => followed(cli, id));
  parent
    .command('why', spelling)
    .description('say why it is not moving')
    .argument('<ID>')
    .action((id: string) => why(cli, id));
  parent
    .command('terminate', spelling)
    .description('end it')
    .argument('<ID>')
    .option('--reason <TEXT>', 'kept with it', 'terminated from the command line')
    .action(async (id: string, { reason }: { reason: string }) => {
      await cli.client.call('DELETE', query(workflowPath(id), { reason }));
      said(cli, id, 'Terminated.');
    });
  const steer = (command: string, method: string, description: string, sentence: string): void => {
    parent
      .command(command, spelling)
      .description(description)
      .argument('<ID>')
      .action(async (id: string) => {
        await cli.client.call(method, `${workflowPath(id)}/${command}`);
        said(cli, id, sentence);
      });
  };
  steer('pause', 'PUT', 'schedule no further steps', 'Paused. Go on with: sallyport workflow resume ID');
  steer('resume', 'PUT', 'go on after a pause', 'Resumed.');
  steer('retry', 'POST', 'go on from the step that failed', 'Retried.');
}

function addList(group: Command, cli: Cli): void {
  group
    .command('list')
    .description('list workflows, the newest first')
    .option('--status <STATUSES>', 'one or more by comma, as in RUNNING,FAILED')
    .option('--name <NAME>', 'of the definition')
    .option('--correlation-id <ID>')
    .option('--limit <N>', 'at most so many', wholeNumber('--limit', 1, 500), 50)
    .option('--cursor <CURSOR>', 'the next page, as the last one said')
    .action(async (options: Record<string, string | number | undefined>) => {
      const { status, name, correlationId, limit, cursor } = options;
      const path = query('/api/v1/executions', { status, name, correlationId, limit, cursor });
      const page = await cli.client.call<ExecutionPage>('GET', path);
      cli.print(page, ({ items }) =>
        table(
          ['ID', 'NAME', 'STATUS', 'STARTED', 'REASON'],
          items.map((one) => [
            one.workflowId,
            `${one.workflowName} v${one.workflowVersion}`,
            one.status,
            new Date(one.createTime).toISOString(),
            one.reasonForIncompletion,
          ]),
        ),
      );
      cli.more(page.nextCursor);
    });
}

const workflowPath = (id: string): string => `/api/workflow/${encodeURIComponent(id)}`;

const said = (cli: Cli, workflowId: string, sentence: string): void =>
  cli.print({ workflowId, done: sentence }, () => [sentence]);

async function followed(cli: Cli, id: string): Promise<void> {
  cli.exitCode = (await follow(cli, id)) === 'COMPLETED' ? 0 : 1;
}

async function get(cli: Cli, id: string): Promise<void> {
  const execution = await cli.client.call<Execution>('GET', `/api/v1/executions/${encodeURIComponent(id)}`);
  cli.print(execution, () => [
    `${visible(execution.workflowName, 200)} v${execution.workflowVersion}  ${execution.status}  ${visible(execution.workflowId, 255)}`,
    ...execution.tasks.map((task) => taskLine(task, cli.style)),
    workflowLine(execution, cli.style),
  ]);
}

/** One sentence per reason; all that is known about them as JSON. */
async function why(cli: Cli, id: string): Promise<void> {
  const path = `/api/v1/executions/${encodeURIComponent(id)}/why`;
  cli.print(await cli.client.call<Explanation>('GET', path), ({ why: reasons, leftOut }) => [
    ...reasons.map(({ sentence }) => visible(sentence, MAX_SENTENCE)),
    ...(leftOut > 0 ? [`${leftOut} more steps are open; see: sallyport workflow get ID`] : []),
  ]);
}
