import type { z } from 'zod';
import { InvalidInput } from '../../errors.js';
import { WORKFLOW_STATUSES, type WorkflowStatus } from '../model/execution.js';
import type { WorkflowSearch, WorkflowSummary } from '../ports.js';
import type { SallyportEngine } from '../runtime/sallyport-engine.js';
import type { SearchQuery } from './schemas.js';
import { summaryView } from './views.js';

type Filter = Omit<WorkflowSearch, 'limit' | 'skip' | 'cursor'>;

// A value in quotes of either kind, or one without blanks, quotes and brackets.
const VALUE = String.raw`'[^']*'|"[^"]*"|[^\s'"()=<>][^\s'"()]*`;
/** The first of some conditions, with the AND that must stand between it and a next one. */
const CONDITION = new RegExp(
  String.raw`^([a-zA-Z]+)\s*(?:(=|>|<)\s*(${VALUE})|(IN)\s*\(([^()]*)\))(?:\s+AND\s+(?=\S)|$)`,
);
const SUPPORTED =
  'there are status, workflowType, correlationId, workflowId with = (status also with IN and a list in brackets) and startTime with > and <, joined by AND; what has blanks or brackets in it stands in quotes';
const PAGE = 500;

/** Conductor's search over the executions: conditions joined by AND, free text `*` only. */
export async function searchWorkflows(
  engine: SallyportEngine,
  { start, size, freeText, query }: z.infer<typeof SearchQuery>,
) {
  const { filter, workflowId } = parseQuery(query);
  if (freeText !== '*' && freeText !== '') {
    throw InvalidInput.field('freeText', 'only * is available; narrow the search with query');
  }
  if (workflowId !== undefined) return await byId(engine, workflowId, filter, { start, size });
  const results: WorkflowSummary[] = [];
  let cursor: string | undefined;
  do {
    const limit = Math.min(PAGE, size - results.length);
    const page = await engine.search({
      ...filter,
      limit,
      ...(cursor === undefined ? { skip: start } : { cursor }),
    });
    results.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== undefined && results.length < size);
  return { totalHits: await engine.count(filter), results: results.map(summaryView) };
}

async function byId(
  engine: SallyportEngine,
  workflowId: string,
  filter: Filter,
  { start, size }: { readonly start: number; readonly size: number },
) {
  const found = await engine.find(workflowId);
  if (found === undefined || !matches(found, filter)) return { totalHits: 0, results: [] };
  return { totalHits: 1, results: [summaryView(found)].slice(start, start + size) };
}

const matches = (
  found: WorkflowSummary,
  { status, workflowName, correlationId, from, to }: Filter,
): boolean =>
  (status === undefined || status.includes(found.status)) &&
  (workflowName === undefined || found.workflowName === workflowName) &&
  (correlationId === undefined || found.correlationId === correlationId) &&
  (from === undefined || found.createTime >= from) &&
  (to === undefined || found.createTime < to);

interface Condition {
  readonly field: string;
  readonly operator: string;
  readonly values: readonly string[];
}

/** @throws InvalidInput */
function conditionsOf(query: string): Condition[] {
  const conditions: Condition[] = [];
  let rest = query.trim();
  while (rest !== '') {
    const [said, field = '', sign, value = '', word, items = ''] = CONDITION.exec(rest) ?? [];
    if (said === undefined) throw notUnderstood(rest);
    const values = word === undefined ? [value] : items.split(',');
    conditions.push({ field, operator: sign ?? word ?? '', values: values.map(unquoted) });
    rest = rest.slice(said.length);
  }
  return conditions;
}

const unquoted = (value: string): string => value.trim().replace(/^(['"])(.*)\1$/s, '$2');

const notUnderstood = (what: string): InvalidInput =>
  InvalidInput.field('query', `"${what}" is not understood; ${SUPPORTED}`);

/** Throws InvalidInput naming what is not understood: a condition that is dropped would give a wrong answer. */
function parseQuery(query: string): { filter: Filter; workflowId: string | undefined } {
  let filter: Filter = {};
  let workflowId: string | undefined;
  const known = new Set<string>();
  for (const { field, operator, values } of conditionsOf(query)) {
    const [value = ''] = values;
    // Two bounds of a time are two things to say.
    const what = field === 'startTime' ? `${field} ${operator}` : field;
    if (known.has(what)) {
      throw InvalidInput.field('query', `${what} is said more than once; say it once (status also with IN)`);
    }
    known.add(what);
    switch (`${field} ${operator}`) {
      case 'status =':
      case 'status IN':
        filter = { ...filter, status: values.map(statusOf) };
        break;
      case 'workflowType =':
        filter = { ...filter, workflowName: value };
        break;
      case 'correlationId =':
        filter = { ...filter, correlationId: value };
        break;
      case 'workflowId =':
        workflowId = value;
        break;
      case 'startTime >':
        filter = { ...filter, from: timeOf(value) + 1 };
        break;
      case 'startTime <':
        filter = { ...filter, to: timeOf(value) };
        break;
      default:
        throw notUnderstood(`${field} ${operator}`);
    }
  }
  return { filter, workflowId };
}

function statusOf(value: string): WorkflowStatus {
  const status = WORKFLOW_STATUSES.find((one) => one === value);
  if (status === undefined) {
    throw InvalidInput.field('query', `"${value}" is no status; there are ${WORKFLOW_STATUSES.join(', ')}`);
  }
  return status;
}

function timeOf(value: string): number {
  if (!/^\d{1,15}$/.test(value)) {
    throw InvalidInput.field('query', `"${value}" is no time in milliseconds since the epoch`);
  }
  return Number(value);
}
