import type { Command } from 'commander';
import { durationText } from '../../outbound/safe-text.js';
import type { Cli } from '../cli.js';
import { table } from '../table.js';
import { query } from '../values.js';

interface Step {
  readonly step: string;
  readonly taskType: string;
  readonly attempts: number;
  readonly failed: number;
  readonly queueSeconds: number;
  readonly runSeconds: number;
  readonly personSeconds: number;
  readonly p50Seconds: number;
  readonly p90Seconds: number;
}

interface WorkflowFigures {
  readonly workflow: string;
  readonly version: number;
  readonly started: number;
  readonly completed: number;
  readonly open: number;
  readonly p50Seconds: number | null;
  readonly p90Seconds: number | null;
  readonly slaSeconds: number | null;
  readonly beyondSla: number | null;
  readonly failureRate: number | null;
  readonly meanSecondsBetweenFailures: number | null;
  readonly meanSecondsToRecovery: number | null;
  readonly queueSeconds: number;
  readonly runSeconds: number;
  readonly personSeconds: number;
  readonly costliestStep: string | null;
  readonly steps: readonly Step[];
}

interface Figures {
  readonly from: string;
  readonly to: string;
  readonly oneIn: number;
  readonly isCut: boolean;
  readonly workflows: readonly WorkflowFigures[];
}

/** `process figures`. */
export function addProcess(program: Command, cli: Cli): void {
  program
    .command('process')
    .description('how the executions of each definition go')
    .command('figures')
    .description('how long they took, how often they failed, and where the time went')
    .option(
      '--from <TIME>',
      'started from then on, as 2026-03-02T08:00:00Z; the last seven days when left out',
    )
    .option('--to <TIME>', 'started before then')
    .option('--workflow <NAME>', 'of one definition, step by step')
    .action(async (filter: { from?: string; to?: string; workflow?: string }) => {
      const found = await cli.client.call<Figures>('GET', query('/api/v1/process/figures', { ...filter }));
      cli.print(found, (figures) => [
        ...workflowLines(figures.workflows),
        ...(filter.workflow === undefined ? [] : figures.workflows.flatMap(stepLines)),
        ...remarks(figures),
      ]);
    });
}

const took = (seconds: number | null): string | null =>
  seconds === null ? null : durationText(seconds * 1000);

const workflowLines = (workflows: readonly WorkflowFigures[]): string[] =>
  table(
    [
      'WORKFLOW',
      'VERSION',
      'STARTED',
      'DONE',
      'OPEN',
      'HALF',
      'NINE OF TEN',
      'SLA',
      'LATE',
      'FAILED',
      'BETWEEN',
      'RECOVERY',
      'COSTLIEST STEP',
    ],
    workflows.map((one) => [
      one.workflow,
      one.version,
      one.started,
      one.completed,
      one.open,
      took(one.p50Seconds),
      took(one.p90Seconds),
      took(one.slaSeconds),
      one.beyondSla,
      one.failureRate === null ? null : `${(one.failureRate * 100).toFixed(1)} %`,
      took(one.meanSecondsBetweenFailures),
      took(one.meanSecondsToRecovery),
      one.costliestStep,
    ]),
  );

const stepLines = ({ workflow, version, steps }: WorkflowFigures): string[] => [
  '',
  `${workflow} ${version}: all its attempts together`,
  ...table(
    ['STEP', 'TYPE', 'ATTEMPTS', 'FAILED', 'IN THE QUEUE', 'RUNNING', 'AT A PERSON', 'HALF', 'NINE OF TEN'],
    steps.map((step) => [
      step.step,
      step.taskType,
      step.attempts,
      step.failed,
      took(step.queueSeconds),
      took(step.runSeconds),
      took(step.personSeconds),
      took(step.p50Seconds),
      took(step.p90Seconds),
    ]),
  ),
];

const remarks = ({ oneIn, isCut, from, to }: Figures): string[] => [
  '',
  `Started from ${from} to ${to}, as far as retention keeps them.`,
  ...(oneIn === 1 ? [] : [`There are many: one in ${oneIn} was looked at, and counts are of those.`]),
  ...(isCut ? ['There are more steps than are shown here.'] : []),
];
