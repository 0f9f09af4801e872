import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError, InvalidInput } from '../../errors.js';
import { parseWorkflowDef } from '../decider/parse-definition.js';
import { TaskDef, type WorkflowDef } from '../model/definition.js';
import type { Actor } from '../model/command.js';
import type { TaskWorker } from '../ports.js';
import type { Definitions } from './definitions.js';

const SYSTEM: Actor = { kind: 'system', id: 'start' };

/**
 * Registers every `*.json` of a folder; shipped definitions are updated in place, unchanged ones are not written.
 *
 * @throws ConfigError naming file, JSON path and reason for the first that cannot be used; nothing is registered then.
 */
export async function loadDefinitions(definitions: Definitions, directory: string): Promise<void> {
  const files = (await readdir(directory)).filter((name) => name.endsWith('.json')).sort();
  const parsed: WorkflowDef[] = [];
  for (const file of files) parsed.push(await parseFile(join(directory, file)));
  const known = await definitions.listWorkflows();
  for (const def of parsed) {
    const old = known.find(({ name, version }) => name === def.name && version === def.version);
    if (old === undefined || essence(old) !== essence(def)) {
      await definitions.registerWorkflow(def, { overwrite: true }, SYSTEM);
    }
  }
}

async function parseFile(path: string): Promise<WorkflowDef> {
  const text = await readFile(path, 'utf8');
  try {
    return parseWorkflowDef(JSON.parse(text));
  } catch (error) {
    if (error instanceof InvalidInput) {
      const problems = error.problems.map((problem) => `${path}: ${problem.path}: ${problem.message}`);
      throw new ConfigError(problems.length > 0 ? problems.join('\n') : `${path}: ${error.message}`, {
        cause: error,
      });
    }
    if (error instanceof SyntaxError) {
      throw new ConfigError(`${path}: is not JSON: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

/** The definition without the times of its registration. */
function essence({ createTime: _created, updateTime: _updated, ...def }: WorkflowDef): string {
  return JSON.stringify(def);
}

/** Registers the task definitions that workers bring along, unless one of that name exists. */
export async function registerWorkerTasks(
  definitions: Definitions,
  workers: readonly TaskWorker[],
): Promise<void> {
  const known = new Set((await definitions.listTasks()).map(({ name }) => name));
  const fresh = workers.flatMap(({ taskType, taskDef }) =>
    taskDef === undefined || known.has(taskDef.name ?? taskType)
      ? []
      : [TaskDef.parse({ ...taskDef, name: taskDef.name ?? taskType })],
  );
  await definitions.registerTasks(fresh, SYSTEM);
}
