import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { isUuid } from '../cursor.js';
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
import { decidersOf, releaseOf, type ReleaseRow } from './sql/release-of.js';

const rows = z.array(z.record(z.string(), z.unknown()));

/** An object version with everything that was ever said of it and done to it. */
export const ObjectStory = ObjectView.extend({
  scans: rows,
  verdicts: rows,
  /** Of the scan that the verdict comes from; where it comes from none, of the last one that found something. */
  findings: rows,
  actions: rows,
  /** Each step of moving it, as far as it went: newest first. */
  steps: rows,
  /** `decidedBy` is the decider as the audit names it, `deciderName` as people do. */
  decisions: rows,
  /** Where a release wrote this version: what had been scanned, and the review that let it go. */
  releasedFrom: z
    .object({
      objectId: z.uuid(),
      scanId: z.uuid(),
      reviewId: z.string().nullable(),
      decidedBy: z.string().nullable(),
      deciderName: z.string().nullable(),
      at: z.iso.datetime(),
    })
    .nullable(),
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
    const [scans, verdicts, findings, actions, steps, decisions, release] = await Promise.all([
      this.source.getRepository(ScanEntity).find({ ...newest, order: { generation: 'DESC' } }),
      this.source.getRepository(VerdictEntity).find({ ...newest, order: { id: 'DESC' } }),
      this.findings(id),
      this.source.getRepository(ObjectActionEntity).find({ ...newest, order: { id: 'DESC' } }),
      objectSteps(this.database, id, MAX_ROWS),
      this.source.getRepository(ObjectDecisionEntity).find({ ...newest, order: { at: 'DESC' } }),
      releaseOf(this.database, id),
    ]);
    const deciders = await this.deciders([...decisions, ...(release === undefined ? [] : [release])]);
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
      decisions: decisions.map((decision) => ({
        ...fields(decision),
        deciderName: deciders.get(decision.reviewId) ?? null,
        at: isoOf(decision.at),
      })),
      releasedFrom:
        release === undefined
          ? null
          : {
              ...release,
              deciderName: deciders.get(release.reviewId ?? '') ?? null,
              at: isoOf(release.at),
            },
    };
  }

  private async findings(objectId: string): Promise<FindingEntity[]> {
    const findings = this.source.getRepository(FindingEntity);
    const [told] = await this.database.query<{ scan_id: string | null }>(
      `SELECT coalesce(v.scan_id, (SELECT scan_id FROM finding WHERE object_id = o.id ORDER BY id DESC LIMIT 1)) AS scan_id
         FROM object_version o LEFT JOIN verdict v ON v.id = o.verdict_id WHERE o.id = $1`,
      [objectId],
    );
    if (told?.scan_id == null) return [];
    return findings.find({ where: { scanId: told.scan_id }, order: { id: 'ASC' }, take: MAX_FINDINGS });
  }

  private deciders(decisions: readonly Pick<ReleaseRow, 'reviewId'>[]): Promise<ReadonlyMap<string, string>> {
    const ids = decisions.map(({ reviewId }) => reviewId).filter((id) => id !== null);
    return decidersOf(this.database, ids.filter(isUuid));
  }
}

/** An entity's columns, without its class. */
const fields = (entity: object): Record<string, unknown> => Object.fromEntries(Object.entries(entity));
