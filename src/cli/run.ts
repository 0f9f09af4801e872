import { visible } from '../outbound/safe-text.js';
import { parseArguments, USAGE, type Invocation } from './arguments.js';
import { Client } from './client.js';
import { follow, type Output } from './follow.js';
import { duration, taskLine, workflowLine, type TaskFacts, type WorkflowFacts } from './lines.js';
import { settingsFrom } from './settings.js';

type Execution = WorkflowFacts & {
  readonly workflowVersion: number;
  readonly tasks: readonly TaskFacts[];
  readonly why: readonly Reason[];
};
type Reason = { readonly kind: string } & Readonly<Record<string, unknown>>;

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
      return why(client, invocation.id, output);
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

async function why(client: Client, id: string, { out }: Output): Promise<number> {
  const answer = await client.call<{ why: readonly Reason[] }>(
    'GET',
    `/api/v1/executions/${encodeURIComponent(id)}/why`,
  );
  for (const reason of answer.why) out(reasonLine(reason));
  return 0;
}

/** The kind, and whatever else the service says of it; times as moments, and how far they are away. */
function reasonLine({ kind, ...facts }: Reason): string {
  const parts = Object.entries(facts).flatMap(([name, value]) => {
    if (value === undefined || value === null) return [];
    return [`${visible(name, 40)}: ${isMoment(name, value) ? momentText(value) : factText(value)}`];
  });
  return [visible(kind, 40).replaceAll('_', ' '), ...parts].join('  ');
}

const isMoment = (name: string, value: unknown): value is number =>
  typeof value === 'number' && /^(at|since|until|\w+At)$/.test(name);

const factText = (value: unknown): string =>
  visible(typeof value === 'string' ? value : JSON.stringify(value), 200);

function momentText(at: number): string {
  const away = at - Date.now();
  return `${new Date(at).toISOString()} (${away < 0 ? `${duration(-away)} ago` : `in ${duration(away)}`})`;
}
