import { doWhile } from './do-while.js';
import { forkJoin } from './fork-join.js';
import { human } from './human.js';
import { join } from './join.js';
import type { TaskMapper } from './mapper.js';
import { setVariable } from './set-variable.js';
import { simple } from './simple.js';
import { subWorkflow } from './sub-workflow.js';
import { switchMapper } from './switch.js';
import { terminate } from './terminate.js';
import { wait } from './wait.js';

/** Every task type that the engine knows. */
const MAPPERS: readonly TaskMapper[] = [
  simple,
  switchMapper,
  forkJoin,
  join,
  human,
  wait,
  setVariable,
  terminate,
  doWhile,
  subWorkflow,
];

const byType: ReadonlyMap<string, TaskMapper> = new Map(MAPPERS.map((mapper) => [mapper.type, mapper]));

export const SUPPORTED_TYPES: readonly string[] = MAPPERS.map(({ type }) => type);

const forPeople: ReadonlySet<string> = new Set(
  MAPPERS.filter(({ handOut }) => handOut === 'once').map(({ type, rowType }) => rowType ?? type),
);

/** Whether tasks of this type are for people: asked for in this process, never handed to a worker outside. */
export const isForPeople = (taskType: string): boolean => forPeople.has(taskType);

export const mapperOf = (type: string): TaskMapper | undefined => byType.get(type);
