import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { Database } from '../database/database.js';
import { NotFound } from '../errors.js';
import { FindingEntity } from './entities/finding.entity.js';
import { ObjectActionEntity } from './entities/object-action.entity.js';
import { ObjectDecisionEntity } from './entities/object-decision.entity.js';
import { ScanEntity } from './entities/scan.entity.js';
import { VerdictEntity } from './entities/verdict.entity.js';
import { isoOf, maybeIso, objectView, ObjectView } from './object-view.js';
import { objectSteps } from './sql/object-steps.js';
import { findObject } from './sql/list-objects.js';

const rows = z.array(z.record(z.string(), z.unknown()));

/** An object version with everything that was ever said of it and done to it. */
export const ObjectStory = ObjectView.extend({
  scans: rows,
  verdicts: rows,
  findings: rows,
  actions: rows,
  /** Each step of moving it, as far as it went: newest first. */
  steps: rows,
  decisions: rows,
}).meta({ id: 'ObjectStory' });
export type ObjectStory = z.infer<typeof ObjectStory>;

// A page for people: what exceeds it is counted (`secretsTotal`, `malwareTotal`), not shown.
const MAX_FINDINGS = 1000;
const MAX_ROWS = 200;

/** Tells the story of one object. */
@Injectable()
export class ObjectStories {
  constructor(
    private readonly database: Database,
    private readonly source: DataSource,
  ) {}

  /** @throws NotFound */
  async tell(id: string): Promise<ObjectStory> {
    const object = await findObject(this.database, id);
    if (object === undefined) throw new NotFound(`No object ${id} in the ledger. Check the id.`);
    const newest = { where: { objectId: id }, take: MAX_ROWS };
    const [scans, verdicts, findings, actions, steps, decisions] = await Promise.all([
      this.source.getRepository(ScanEntity).find({ ...newest, order: { generation: 'DESC' } }),
      this.source.getRepository(VerdictEntity).find({ ...newest, order: { id: 'DESC' } }),
      this.findings(id),
      this.source.getRepository(ObjectActionEntity).find({ ...newest, order: { id: 'DESC' } }),
      objectSteps(this.database, id, MAX_ROWS),
      this.source.getRepository(ObjectDecisionEntity).find({ ...newest, order: { at: 'DESC' } }),
    ]);
    return {
      ...objectView(object),
      scans: scans.map((scan) => ({
        ...fields(scan),
        requestedAt: isoOf(scan.requestedAt),
        startedAt: maybeIso(scan.startedAt),
        verdictAt: maybeIso(scan.verdictAt),
        closedAt: maybeIso(scan.closedAt),
      })),
      verdicts: verdicts.map((verdict) => ({ ...fields(verdict), at: isoOf(verdict.at) })),
      findings: findings.map(fields),
      actions: actions.map((action) => ({ ...fields(action), at: isoOf(action.at) })),
      steps: steps.map((step) => ({ ...step, at: isoOf(step.at) })),
      decisions: decisions.map((decision) => ({ ...fields(decision), at: isoOf(decision.at) })),
    };
  }

  private findings(objectId: string): Promise<FindingEntity[]> {
    return this.source
      .getRepository(FindingEntity)
      .find({ where: { objectId }, order: { id: 'ASC' }, take: MAX_FINDINGS });
  }
}

/** An entity's columns, without its class. */
const fields = (entity: object): Record<string, unknown> => Object.fromEntries(Object.entries(entity));
