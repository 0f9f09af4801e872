import { durationText } from '../../../outbound/safe-text.js';
import type { ReportData } from '../../data/report-data.js';
import type { Block } from '../document.js';
import { percent, spanOrDash, whole } from '../words.js';
import { AS_OF_MAKING } from './tables.js';

type Workflow = ReportData['process']['workflows'][number];

/** The workflows in figures, and where their time went. */
export function processBlocks({ process }: ReportData): Block[] {
  return [
    {
      kind: 'text',
      tone: 'soft',
      text: `${AS_OF_MAKING}: how far the executions were that were started in the period.`,
    },
    ...(process.oneIn > 1
      ? [
          {
            kind: 'text',
            text: `${whole(process.started)} executions were started; these figures are of one in ${whole(process.oneIn)}, chosen by their ids.`,
          } as const,
        ]
      : []),
    {
      kind: 'table',
      caption: 'Workflows',
      columns: [
        { heading: 'Workflow', width: 2.4 },
        { heading: 'Ended', isNumber: true, width: 0.8 },
        { heading: 'Failed', isNumber: true, width: 1.1 },
        { heading: 'Open', isNumber: true, width: 0.8 },
        { heading: 'Half / 90 % within', isNumber: true, width: 1.6 },
        { heading: 'Declared', isNumber: true, width: 1.5 },
        { heading: 'Between failures / to recovery', isNumber: true, width: 1.7 },
      ],
      rows: process.workflows.map((flow) => [
        nameOf(flow),
        flow.ended,
        `${whole(flow.failed)}${flow.failureRate === null ? '' : ` (${percent(flow.failureRate, 1)})`}`,
        flow.open,
        `${spanOrDash(flow.completion.p50Ms)} / ${spanOrDash(flow.completion.p90Ms)}`,
        flow.slaMs === null
          ? 'nothing'
          : `${durationText(flow.slaMs)}${flow.withinSla === null ? '' : `, kept by ${percent(flow.withinSla, flow.completed)}`}`,
        `${spanOrDash(flow.meanTimeBetweenFailuresMs)} / ${spanOrDash(flow.meanTimeToRecoveryMs)}`,
      ]),
      empty: 'No workflow ran in this period.',
    },
    {
      kind: 'table',
      caption: 'Where the time of all steps went',
      columns: [
        { heading: 'Workflow', width: 2.4 },
        { heading: 'In the queue', isNumber: true },
        { heading: 'Running', isNumber: true },
        { heading: 'With a person', isNumber: true },
        { heading: 'Costs most', width: 2 },
      ],
      rows: process.workflows.map((flow) => [
        nameOf(flow),
        durationText(flow.queue),
        durationText(flow.run),
        durationText(flow.person),
        flow.costliest ?? '–',
      ]),
      empty: 'No workflow ran in this period.',
    },
    ...process.workflows.filter(({ steps }) => steps.length > 0).map(stepsOf),
  ];
}

const nameOf = ({ name, version }: Workflow): string => `${name}, version ${version}`;

const stepsOf = (flow: Workflow): Block => ({
  kind: 'table',
  caption: `Steps of ${nameOf(flow)}`,
  columns: [
    { heading: 'Step', width: 2 },
    { heading: 'Type', width: 1.6 },
    { heading: 'Completed', isNumber: true },
    { heading: 'Failed', isNumber: true },
    { heading: 'In the queue', isNumber: true },
    { heading: 'Running', isNumber: true },
    { heading: 'With a person', isNumber: true },
  ],
  rows: flow.steps.map((step) => [
    step.ref,
    step.type,
    step.completed,
    step.failed,
    durationText(step.queue),
    durationText(step.run),
    durationText(step.person),
  ]),
  empty: 'None.',
});
