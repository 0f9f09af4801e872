import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../test/support/eventually.js';
import { ServiceProcess } from '../test/support/service-process.js';
import { randomFrom, readOptions, report, SIZE_AND_SEED } from './proof.js';

/*
 * People decide while the service is killed with SIGKILL, somewhere between the click and the workflow's next step. Each
 * decision that was answered must stand, and its workflow must go on with it exactly once.
 */

const SIZES = { small: { kills: 1 }, full: { kills: 50 } } as const;
/** Questions that are decided at the same moment, before each kill. */
const AT_ONCE = 4;
const SETTLE_MS = 60_000;

const WORKFLOW = {
  name: 'decide_once',
  version: 1,
  schemaVersion: 2,
  ownerEmail: 'proof@example.com',
  tasks: [
    {
      name: 'ask',
      taskReferenceName: 'ask',
      type: 'HUMAN',
      inputParameters: { title: 'Number ${workflow.input.number}?', deadline: '1d' },
    },
    {
      name: 'noted',
      taskReferenceName: 'noted',
      type: 'SET_VARIABLE',
      inputParameters: { outcome: '${ask.output.outcome}' },
    },
  ],
  outputParameters: { outcome: '${ask.output.outcome}', reviewId: '${ask.output.reviewId}' },
};

interface Review {
  readonly id: string;
  readonly workflowId: string;
  readonly state: string;
  readonly decision: { readonly outcome: string; readonly completion: string } | null;
  readonly timeline: readonly { readonly kind: string }[];
}

interface Execution {
  readonly status: string;
  readonly output: { readonly outcome?: string };
  readonly tasks: readonly { readonly referenceTaskName: string; readonly status: string }[];
}

/** For `--help`. */
export const help = SIZE_AND_SEED;

/** @returns whether it held. */
export async function prove(args: readonly string[]): Promise<boolean> {
  const options = readOptions(args);
  const { kills } = SIZES[options.size];
  const random = randomFrom(options.seed);
  process.stdout.write(`decisions: ${kills} kills, seed ${options.seed}\n`);
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-decisions-'));
  chmodSync(folder, 0o711);
  const service = await ServiceProcess.on(join(folder, 'home'));
  const began = performance.now();
  try {
    await service.start();
    await service.api('/api/metadata/workflow', { method: 'POST', body: WORKFLOW });
    const takesMs = await undisturbed(service);
    const problems: string[] = [];
    let answered = 0;
    for (let kill = 0; kill < kills; kill += 1) {
      const reviews = await ask(service, kill);
      const decided = reviews.map(({ id }, index) =>
        decide(service, id, index % 2 === 0 ? 'approve' : 'reject'),
      );
      // Anywhere between the click and the workflow's next step.
      await pause(random() * takesMs);
      await service.kill();
      const said = await Promise.all(decided);
      answered += said.filter((wasAnswered) => wasAnswered).length;
      await service.start();
      for (const [index, { id, workflowId }] of reviews.entries())
        problems.push(
          ...(await settled(
            service,
            id,
            workflowId,
            index % 2 === 0 ? 'approve' : 'reject',
            said[index] ?? false,
          )),
        );
    }
    const seconds = (performance.now() - began) / 1000;
    const figures = {
      undisturbedMs: Math.round(takesMs),
      kills,
      decisions: kills * AT_ONCE,
      answeredBeforeTheKill: answered,
      problems: problems.slice(0, 20),
    };
    const passed = problems.length === 0;
    report('decisions', options, seconds, figures, passed);
    if (!passed) process.stderr.write(`${service.printed.slice(-4000)}\n`);
    return passed;
  } finally {
    await service.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** How long decisions take from the click until their workflows have ended, on this machine now. */
async function undisturbed(service: ServiceProcess): Promise<number> {
  const reviews = await ask(service, -1);
  const began = performance.now();
  await Promise.all(reviews.map(({ id }) => decide(service, id, 'approve')));
  for (const { workflowId } of reviews)
    await eventually(
      async () => (await service.api<Execution>(`/api/workflow/${workflowId}`)).status === 'COMPLETED',
      { timeoutMs: SETTLE_MS, what: 'a workflow going on' },
    );
  return performance.now() - began;
}

/** Starts some workflows, and waits until each asks. */
async function ask(service: ServiceProcess, kill: number): Promise<Review[]> {
  const workflowIds = await Promise.all(
    Array.from({ length: AT_ONCE }, (_, index) =>
      service.api<string>('/api/workflow/decide_once', {
        method: 'POST',
        body: { number: kill * AT_ONCE + index },
      }),
    ),
  );
  const reviews: Review[] = [];
  for (const workflowId of workflowIds)
    await eventually(
      async () => {
        const [review] = await service.all<Review>(`/api/v1/reviews?workflowId=${workflowId}`);
        if (review !== undefined) reviews.push(review);
        return review !== undefined;
      },
      { timeoutMs: SETTLE_MS, what: 'the question' },
    );
  return reviews;
}

/** @returns whether it was answered that the decision stands. */
async function decide(service: ServiceProcess, id: string, outcome: string): Promise<boolean> {
  try {
    await service.api(`/api/v1/reviews/${id}/decide`, {
      method: 'POST',
      body: { outcome, reason: 'a proof' },
    });
    return true;
  } catch {
    // The kill came first, or took the answer away: the decision may stand or not.
    return false;
  }
}

/** Every way in which one of them is not what was decided; it is decided again where it was not. */
async function settled(
  service: ServiceProcess,
  id: string,
  workflowId: string,
  outcome: string,
  wasAnswered: boolean,
): Promise<string[]> {
  const before = await service.api<Review>(`/api/v1/reviews/${id}`);
  const problems: string[] = [];
  if (wasAnswered && before.decision === null) problems.push(`${id}: answered, and lost`);
  // As whoever clicked would do on seeing an error: the same again.
  if (!(await decide(service, id, outcome))) problems.push(`${id}: the same decision again was refused`);
  await eventually(
    async () => {
      const { decision } = await service.api<Review>(`/api/v1/reviews/${id}`);
      const { status } = await service.api<Execution>(`/api/workflow/${workflowId}`);
      return decision?.completion === 'applied' && status === 'COMPLETED';
    },
    { timeoutMs: SETTLE_MS, what: `workflow ${workflowId} going on` },
  ).catch((error: unknown) => problems.push(`${id}: ${(error as Error).message}`));
  const review = await service.api<Review>(`/api/v1/reviews/${id}`);
  const execution = await service.api<Execution>(`/api/workflow/${workflowId}`);
  const count = (kind: string): number => review.timeline.filter((event) => event.kind === kind).length;
  if (count('decided') !== 1 || count('completed') !== 1)
    problems.push(`${id}: decided ${count('decided')} and completed ${count('completed')} times`);
  if (execution.output.outcome !== outcome) problems.push(`${id}: went on with ${execution.output.outcome}`);
  if (execution.tasks.length !== 2) problems.push(`${id}: ${execution.tasks.length} tasks ran`);
  return problems;
}
