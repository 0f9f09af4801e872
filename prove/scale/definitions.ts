/** What a workflow stands at: a time that has not come, or a person who has not answered. */
export const PARKED = { wait: 'scale_wait', human: 'scale_human' } as const;
export type Kind = keyof typeof PARKED;

/** The one open task of each. */
export const REFERENCE = { wait: 'pause', human: 'ask' } as const satisfies Record<Kind, string>;

/** The same as `scale_wait`, apart from the parked ones, for the timers that are let fire. */
export const TIMERS = 'scale_timers';

const wait = {
  name: REFERENCE.wait,
  taskReferenceName: REFERENCE.wait,
  type: 'WAIT',
  inputParameters: { duration: '${workflow.input.seconds} seconds' },
};

const human = {
  name: REFERENCE.human,
  taskReferenceName: REFERENCE.human,
  type: 'HUMAN',
  inputParameters: { title: 'Is ${workflow.input.n} right?' },
};

const definition = (name: string, task: object, outputParameters: object) => ({
  name,
  version: 1,
  schemaVersion: 2,
  tasks: [task],
  outputParameters,
});

export const DEFINITIONS = [
  definition(PARKED.wait, wait, { n: '${workflow.input.n}' }),
  definition(PARKED.human, human, { n: '${workflow.input.n}', outcome: '${ask.output.outcome}' }),
  definition(TIMERS, wait, { n: '${workflow.input.n}' }),
];
