import { Injectable } from '@nestjs/common';
import { appendAudit } from '../audit/audit.js';
import { changesBetween } from '../audit/changes.js';
import { Clock, type Instant } from '../clock.js';
import { Database } from '../database/database.js';
import type { Queryable } from '../database/queryable.js';
import { Metadata } from '../engine/ports.js';
import { Conflict, InvalidInput, NotFound, type FieldProblem } from '../errors.js';
import { wholeMilliseconds } from '../verdicts/whole-milliseconds.js';
import { MAX_RULES, rowOf, specOf, type RuleSpec } from './rule-spec.js';
import { deleteRule, findRule, listRules, lockRules, putRule, type RuleRow } from './sql/rule-rows.js';

/** Who keeps rules of their own: people over REST and CLI, or the file that the service is started with. */
export type Keeper = 'api' | 'file';

/** What applying a set of rules changed. */
export interface Applied {
  readonly created: readonly string[];
  readonly changed: readonly string[];
  readonly deleted: readonly string[];
}

/** A change that somebody makes; `actor` is as in AuditEvent. */
interface Change {
  readonly actor: string;
  readonly keeper: Keeper;
}

/** The rules as people change them. Every change is audited in its own transaction. */
@Injectable()
export class Triggers {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly metadata: Metadata,
  ) {}

  /** In the order in which they are asked; 500 at most. */
  list(): Promise<readonly RuleRow[]> {
    return listRules(this.database);
  }

  async get(name: string): Promise<RuleRow> {
    return (await findRule(this.database, name)) ?? missing(name);
  }

  /** Sentences about workflows that the rule names and nobody registered (any more): its uploads wait in the backlog. */
  async unregistered(row: RuleRow): Promise<readonly string[]> {
    const problems = await this.problemsOf(specOf(row));
    return problems.map(({ message }) => message);
  }

  /** @throws InvalidInput for a workflow that is not registered; Conflict when there is a rule of this name. */
  async create(spec: RuleSpec, actor: string): Promise<RuleRow> {
    await this.check([{ spec, path: '' }]);
    await this.transaction(async (tx, at) => {
      if ((await findRule(tx, spec.name)) !== undefined) {
        throw new Conflict(`There is a rule ${spec.name} already. Change that one, or choose another name.`, {
          name: spec.name,
        });
      }
      await this.put(tx, undefined, spec, { actor, keeper: 'api' }, at);
      await refuseTooMany(tx);
    });
    return this.get(spec.name);
  }

  /**
   * Replaces all of it but its name.
   *
   * @param version the one that the change was made from.
   * @throws Conflict when it was changed meanwhile, or when the rules' file keeps it.
   */
  async replace(spec: RuleSpec, version: number, actor: string): Promise<RuleRow> {
    await this.check([{ spec, path: '' }]);
    await this.transaction(async (tx, at) => {
      const row = mayChange(await findRule(tx, spec.name, 'FOR UPDATE'), spec.name, version);
      await this.put(tx, row, spec, { actor, keeper: 'api' }, at);
    });
    return this.get(spec.name);
  }

  async setEnabled(name: string, enabled: boolean, actor: string): Promise<RuleRow> {
    await this.transaction(async (tx, at) => {
      const row = mayChange(await findRule(tx, name, 'FOR UPDATE'), name, undefined);
      await this.put(tx, row, { ...specOf(row), enabled }, { actor, keeper: 'api' }, at);
    });
    return this.get(name);
  }

  async remove(name: string, version: number | undefined, actor: string): Promise<void> {
    await this.transaction(async (tx, at) => {
      const row = mayChange(await findRule(tx, name, 'FOR UPDATE'), name, version);
      await remove(tx, row, actor, at);
    });
  }

  /**
   * Makes these rules, over those of the same names. Of a file: those that it made before and names no more are removed,
   * and a rule that somebody made over REST is not taken from them. All of it happens, or nothing.
   *
   * @param prune of `api`: also removes what is not named, except what the file keeps.
   */
  async apply(
    specs: readonly RuleSpec[],
    { actor, keeper, prune = keeper === 'file' }: Change & { readonly prune?: boolean },
  ): Promise<Applied> {
    await this.check(specs.map((spec, index) => ({ spec, path: `rules[${index}].` })));
    return this.transaction(async (tx, at) => {
      const rows = new Map((await listRules(tx)).map((row) => [row.name, row]));
      const created: string[] = [];
      const changed: string[] = [];
      for (const [index, spec] of specs.entries()) {
        const row = rows.get(spec.name);
        refuseTheft(row, keeper, index);
        const isChanged = await this.put(tx, row, spec, { actor, keeper }, at);
        if (isChanged) (row === undefined ? created : changed).push(spec.name);
      }
      const named = new Set(specs.map(({ name }) => name));
      const gone = [...rows.values()].filter(
        ({ name, origin }) => prune && !named.has(name) && isOf(origin, keeper),
      );
      for (const row of gone) await remove(tx, row, actor, at);
      await refuseTooMany(tx);
      return { created, changed, deleted: gone.map(({ name }) => name) };
    });
  }

  /** The file is no more: what it kept is kept by people from now on. */
  async releaseFile(actor: string): Promise<void> {
    await this.transaction(async (tx, at) => {
      for (const row of await listRules(tx)) {
        if (row.origin === 'file') await this.put(tx, row, specOf(row), { actor, keeper: 'api' }, at);
      }
    });
  }

  /** @returns whether anything changed. */
  private async put(
    tx: Queryable,
    row: RuleRow | undefined,
    spec: RuleSpec,
    { actor, keeper }: Change,
    at: Instant,
  ): Promise<boolean> {
    const before = row && { ...specOf(row), origin: row.origin === 'shipped' ? 'api' : row.origin };
    // What is undefined and what is not said is the same.
    const after = JSON.parse(JSON.stringify({ ...spec, origin: keeper })) as Record<string, unknown>;
    const changes = changesBetween(before, after);
    if (row !== undefined && Object.keys(changes).length === 0) return false;
    const version = (row?.version ?? 0) + 1;
    await putRule(tx, rowOf(spec, { origin: keeper, version, updated_at: at, updated_by: actor }));
    const verb = row === undefined ? 'created' : verbOf(changes);
    await appendAudit(tx, [
      {
        at,
        actor,
        action: `trigger.${verb}`,
        subject: `trigger:${spec.name}`,
        data: { ...changes, version },
      },
    ]);
    return true;
  }

  private transaction<T>(work: (tx: Queryable, at: Instant) => Promise<T>): Promise<T> {
    return this.database.transaction(async (tx) => {
      await lockRules(tx);
      return work(tx, wholeMilliseconds(this.clock));
    });
  }

  private async check(specs: readonly { readonly spec: RuleSpec; readonly path: string }[]): Promise<void> {
    const problems: FieldProblem[] = [];
    for (const { spec, path } of specs) {
      for (const problem of await this.problemsOf(spec)) {
        problems.push({ path: `${path}${problem.path}`, message: problem.message });
      }
    }
    if (problems.length === 0) return;
    throw new InvalidInput(problems.map(({ path, message }) => `${path}: ${message}`).join('; '), problems);
  }

  private async problemsOf({ effect, workflow, version, shares = [] }: RuleSpec): Promise<FieldProblem[]> {
    if (effect === 'deny' || workflow === undefined) return [];
    const targets = [
      { path: '', workflow, version },
      ...shares.map((share, index) => ({ path: `shares[${index}].`, ...share })),
    ];
    const problems: FieldProblem[] = [];
    for (const target of targets) {
      try {
        await this.metadata.getWorkflow(target.workflow, target.version);
      } catch (error) {
        if (!(error instanceof NotFound)) throw error;
        const field = target.version === undefined ? 'workflow' : 'version';
        problems.push({ path: `${target.path}${field}`, message: error.message });
      }
    }
    return problems;
  }
}

function missing(name: string): never {
  throw new NotFound(`There is no rule ${name}.`);
}

/** The shipped rule is kept by whoever wants it first. */
const isOf = (origin: RuleRow['origin'], keeper: Keeper): boolean =>
  origin === keeper || (origin === 'shipped' && keeper === 'api');

function mayChange(row: RuleRow | undefined, name: string, version: number | undefined): RuleRow {
  if (row === undefined) return missing(name);
  if (row.origin === 'file') {
    throw new Conflict(`The file in TRIGGERS_FILE keeps rule ${name}. Change it there.`, { origin: 'file' });
  }
  if (version !== undefined && version !== row.version) {
    throw new Conflict(
      `Rule ${name} was changed by ${row.updated_by} meanwhile. Read it again, and change version ${row.version}.`,
      { version: row.version, updatedBy: row.updated_by },
    );
  }
  return row;
}

function refuseTheft(row: RuleRow | undefined, keeper: Keeper, index: number): void {
  if (row === undefined || row.origin === 'shipped' || row.origin === keeper) return;
  const path = `rules[${index}].name`;
  throw InvalidInput.field(
    path,
    row.origin === 'file'
      ? `${row.name} is kept by the file in TRIGGERS_FILE; change it there`
      : `${row.name} was made over REST or the command line; remove it there, or choose another name`,
  );
}

async function refuseTooMany(tx: Queryable): Promise<void> {
  const { length } = await listRules(tx);
  if (length > MAX_RULES) {
    throw new Conflict(`There would be ${length} rules, and ${MAX_RULES} is the most. Remove some first.`);
  }
}

async function remove(tx: Queryable, row: RuleRow, actor: string, at: Instant): Promise<void> {
  await deleteRule(tx, row.name);
  const subject = `trigger:${row.name}`;
  await appendAudit(tx, [{ at, actor, action: 'trigger.deleted', subject, data: { ...specOf(row) } }]);
}

function verbOf(changes: Readonly<Record<string, unknown>>): string {
  const fields = Object.keys(changes);
  if (fields.length !== 1 || fields[0] !== 'enabled') return 'changed';
  return (changes['enabled'] as { to: boolean }).to ? 'enabled' : 'disabled';
}
