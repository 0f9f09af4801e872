import { visible } from '../outbound/safe-text.js';
import { parseArguments, USAGE, type Invocation } from './arguments.js';
import { Client } from './client.js';
import { follow, type Output } from './follow.js';
import { taskLine, workflowLine, type TaskFacts, type WorkflowFacts } from './lines.js';
import { settingsFrom } from './settings.js';

type Execution = WorkflowFacts & {
  readonly workflowVersion: number;
  readonly tasks: readonly TaskFacts[];
};

interface Explanation {
  readonly why: readonly { readonly sentence: string }[];
  readonly leftOut: number;
}

// Names and ids in it may have 255 characters each.
const MAX_SENTENCE = 2_000;

/** Does what the arguments ask for. @returns the exit code. @throws CommandError */
export async function run(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  output: Output,
): Promise<number> {
  const invocation = parseArguments(args);
  if (invocation.kind === 'help') {
    output.out(USAGE.trimEnd());
    return 0;
  }
  return perform(new Client(settingsFrom(env)), invocation, output);
}

async function perform(
  client: Client,
  invocation: Exclude<Invocation, { kind: 'help' }>,
  output: Output,
): Promise<number> {
  switch (invocation.kind) {
    case 'start': {
      const { name, version, input } = invocation;
      const id = await client.call<string>('POST', '/api/workflow', {
        name,
        input,
        ...(version === undefined ? {} : { version }),
      });
      output.out(id);
      return invocation.follow ? followed(client, id, output) : 0;
    }
    case 'follow':
      return followed(client, invocation.id, output);
    case 'show':
      return show(client, invocation.id, invocation.json, output);
    case 'why':
      return why(client, invocation.id, invocation.json, output);
    case 'terminate':
      await client.call(
        'DELETE',
        `${workflowPath(invocation.id)}?reason=${encodeURIComponent(invocation.reason)}`,
      );
      return said(output, 'Terminated.');
    case 'pause':
      await client.call('PUT', `${workflowPath(invocation.id)}/pause`);
      return said(output, 'Paused. Go on with: sallyport resume ID');
    case 'resume':
      await client.call('PUT', `${workflowPath(invocation.id)}/resume`);
      return said(output, 'Resumed.');
    case 'retry':
      await client.call('POST', `${workflowPath(invocation.id)}/retry`);
      return said(output, 'Retried.');
    default:
      return invocation satisfies never;
  }
}

const workflowPath = (id: string): string => `/api/workflow/${encodeURIComponent(id)}`;

function said(output: Output, sentence: string): number {
  output.out(sentence);
  return 0;
}

async function followed(client: Client, id: string, output: Output): Promise<number> {
  return (await follow(client, id, output)) === 'COMPLETED' ? 0 : 1;
}

async function show(client: Client, id: string, json: boolean, { out, style }: Output): Promise<number> {
  const execution = await client.call<Execution>('GET', `/api/v1/executions/${encodeURIComponent(id)}`);
  if (json) {
    out(JSON.stringify(execution, null, 2));
    return 0;
  }
  out(
    `${visible(execution.workflowName, 200)} v${execution.workflowVersion}  ${execution.status}  ${visible(execution.workflowId, 255)}`,
  );
  for (const task of execution.tasks) out(taskLine(task, style));
  out(workflowLine(execution, style));
  return 0;
}

/** One sentence per reason; all that is known about them as JSON. */
async function why(client: Client, id: string, json: boolean, { out }: Output): Promise<number> {
  const answer = await client.call<Explanation>('GET', `/api/v1/executions/${encodeURIComponent(id)}/why`);
  if (json) {
    out(JSON.stringify(answer, null, 2));
    return 0;
  }
  for (const { sentence } of answer.why) out(visible(sentence, MAX_SENTENCE));
  if (answer.leftOut > 0) out(`${answer.leftOut} more steps are open; see: sallyport show ID`);
  return 0;
}
