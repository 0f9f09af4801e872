import { Injectable } from '@nestjs/common';
import { isDeepStrictEqual } from 'node:util';
import { appendAudit } from '../../audit/audit.js';
import { Clock } from '../../clock.js';
import { Database } from '../../database/database.js';
import type { Queryable } from '../../database/queryable.js';
import { Conflict, InvalidInput, NotFound } from '../../errors.js';
import { schemaFault } from '../review-form.js';
import {
  deleteTemplates,
  findTemplate,
  listTemplates,
  putTemplate,
  templateUser,
  type FormTemplate,
} from '../sql/form-templates.js';

// One change at a time, so that two do not take the same next version.
const TEMPLATE_LOCK = 0x5a11_0008;
const MAX_TEMPLATES = 10_000;
/** Highest version of a template. */
export const MAX_TEMPLATE_VERSION = 1_000_000;

/** A form as somebody saves it. */
export interface NewTemplate {
  readonly name: string;
  /** The newest one, or 1, when absent. */
  readonly version?: number | undefined;
  readonly jsonSchema: Readonly<Record<string, unknown>>;
  readonly templateUI: Readonly<Record<string, unknown>>;
  readonly tags: readonly unknown[];
}

/**
 * Forms that definitions name, by name and version. A version with which a review asks that still waits is neither
 * changed nor deleted: a vote binds to the form that was shown.
 */
@Injectable()
export class FormTemplates {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
  ) {}

  /** The version that is named, or the newest. */
  find(name: string, version?: number): Promise<FormTemplate | undefined> {
    return findTemplate(this.db, name, version);
  }

  /** @throws NotFound */
  async get(name: string, version: number): Promise<FormTemplate> {
    const found = await this.find(name, version);
    if (found === undefined) throw new NotFound(`No template ${name} in version ${version}.`);
    return found;
  }

  list(filter: { name?: string | undefined; version?: number | undefined }): Promise<FormTemplate[]> {
    return listTemplates(this.db, filter, MAX_TEMPLATES);
  }

  /**
   * Saves them all or none. @param asNewVersion each becomes the version after its newest.
   *
   * @throws InvalidInput for a schema that cannot be used; Conflict for a version with which something still asks.
   */
  async save(
    given: readonly NewTemplate[],
    asNewVersion: boolean,
    actor: string,
  ): Promise<readonly FormTemplate[]> {
    for (const { name, jsonSchema } of given) {
      const fault = schemaFault(jsonSchema);
      if (fault !== undefined) throw InvalidInput.field('jsonSchema', `of ${name} ${fault}`);
    }
    return this.inTurn(async (tx, at) => {
      const saved: FormTemplate[] = [];
      for (const one of given) saved.push(await this.saveOne(tx, one, asNewVersion, actor, at));
      const [row] = await tx.query<{ count: number }>('SELECT count(*)::int AS count FROM form_template');
      if ((row?.count ?? 0) > MAX_TEMPLATES)
        throw new Conflict(`There are ${MAX_TEMPLATES} versions of templates already. Delete some.`);
      return saved;
    });
  }

  /** Takes away one version, or all. @throws NotFound; Conflict where something still asks with it. */
  async remove(name: string, version: number | undefined, actor: string): Promise<void> {
    await this.inTurn(async (tx, at) => {
      const user = await templateUser(tx, name, version);
      if (user !== undefined) throw inUse(name, user, 'It can be deleted once that is decided.');
      const versions = await deleteTemplates(tx, name, version);
      if (versions.length === 0)
        throw new NotFound(`No template ${name}${version === undefined ? '' : ` in version ${version}`}.`);
      await appendAudit(tx, [
        { at, actor, action: 'form_template.deleted', subject: `form_template:${name}`, data: { versions } },
      ]);
    });
  }

  private async saveOne(
    tx: Queryable,
    given: NewTemplate,
    asNewVersion: boolean,
    actor: string,
    at: number,
  ): Promise<FormTemplate> {
    const newest = await findTemplate(tx, given.name);
    const version = asNewVersion ? (newest?.version ?? 0) + 1 : (given.version ?? newest?.version ?? 1);
    if (version > MAX_TEMPLATE_VERSION)
      throw InvalidInput.field('version', `must be at most ${MAX_TEMPLATE_VERSION}`);
    const before = await findTemplate(tx, given.name, version);
    const { jsonSchema, templateUI, tags } = given;
    const isSame =
      before !== undefined &&
      isDeepStrictEqual([before.jsonSchema, before.templateUI], [jsonSchema, templateUI]);
    const user = isSame ? undefined : await templateUser(tx, given.name, version);
    if (user !== undefined) throw inUse(given.name, user, 'Save it as a new version (newVersion=true).');
    const template: FormTemplate = {
      name: given.name,
      version,
      jsonSchema,
      templateUI,
      tags,
      createdAt: before?.createdAt ?? at,
      createdBy: before?.createdBy ?? actor,
      updatedAt: at,
      updatedBy: actor,
    };
    await putTemplate(tx, template);
    await appendAudit(tx, [
      {
        at,
        actor,
        action: before === undefined ? 'form_template.created' : 'form_template.changed',
        subject: `form_template:${given.name}`,
        data: { version, jsonSchema: { ...jsonSchema } },
      },
    ]);
    return template;
  }

  private inTurn<T>(work: (tx: Queryable, at: number) => Promise<T>): Promise<T> {
    return this.db.transaction(async (tx) => {
      await tx.query('SELECT pg_advisory_xact_lock($1)', [TEMPLATE_LOCK]);
      return work(tx, Math.round(this.clock.now()));
    });
  }
}

const inUse = (
  name: string,
  { version, reviewId }: { version: number; reviewId: string },
  remedy: string,
): Conflict =>
  new Conflict(`The review ${reviewId} asks with version ${version} of ${name} and still waits. ${remedy}`, {
    reviewId,
    version,
  });
