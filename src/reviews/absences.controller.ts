import { randomUUID } from 'node:crypto';
import { Body, Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import {
  auditActor,
  CurrentPrincipal,
  DECIDERS,
  READERS,
  Roles,
  type Principal,
} from '../access/principal.js';
import { appendAudit } from '../audit/audit.js';
import { Clock } from '../clock.js';
import { Database } from '../database/database.js';
import { Forbidden, InvalidInput, NotFound } from '../errors.js';
import { instant, text } from './request-fields.js';
import { ReviewDesk } from './review-desk.js';
import {
  comingAbsences,
  deleteAbsence,
  findAbsence,
  insertAbsence,
  type StoredAbsence,
} from './sql/absences.js';

const MAX_LISTED = 1000;
const MAX_DAYS = 400;

const NewAbsence = z
  .object({
    /** Whoever asks, when absent; somebody else only for an admin. */
    personId: z.string().min(1).max(100).optional(),
    from: instant,
    to: instant,
    /** Who answers meanwhile. */
    substituteId: z.string().min(1).max(100).optional(),
    note: text(500).default(''),
  })
  .meta({ id: 'NewAbsence' });

const Person = z.object({ id: z.string(), name: z.string() });
const Absence = z
  .object({
    id: z.string(),
    person: Person,
    from: z.iso.datetime(),
    to: z.iso.datetime(),
    substitute: Person.nullable(),
    note: z.string(),
  })
  .meta({ id: 'Absence' });
const Absences = z.object({ items: z.array(Absence) }).meta({ id: 'Absences' });

/** Who is away, and who stands in: reviews go to the substitute, whose votes show both names. */
@ApiTags('reviews')
@Controller('api/v1/absences')
export class AbsencesController {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly desk: ReviewDesk,
  ) {}

  /** Those that are not over yet, the next first. */
  @Get()
  @Roles(...READERS, 'approver')
  @ApiOkResponse({ standardSchema: Absences })
  async list(): Promise<z.infer<typeof Absences>> {
    return { items: (await comingAbsences(this.db, this.clock.now(), MAX_LISTED)).map(shown) };
  }

  @Post()
  @HttpCode(201)
  @Roles(...DECIDERS)
  async add(
    @Body({ schema: NewAbsence }) body: z.infer<typeof NewAbsence>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<z.infer<typeof Absence>> {
    const now = Math.round(this.clock.now());
    const [from, to] = [Date.parse(body.from), Date.parse(body.to)];
    if (to <= from) throw InvalidInput.field('to', 'must be after `from`');
    if (to <= now) throw InvalidInput.field('to', 'must not be over already');
    if (to - from > MAX_DAYS * 86_400_000) throw InvalidInput.field('to', `must be within ${MAX_DAYS} days`);
    const personId = body.personId ?? principal.id;
    if (personId !== principal.id && !principal.roles.includes('admin'))
      throw new Forbidden('Only an admin may say that somebody else is away.');
    const absence: StoredAbsence = {
      id: randomUUID(),
      person: await this.desk.reviewer('personId', personId),
      from,
      to,
      substitute:
        body.substituteId === undefined
          ? undefined
          : await this.desk.reviewer('substituteId', body.substituteId),
      note: body.note,
    };
    if (absence.substitute?.id === personId)
      throw InvalidInput.field('substituteId', 'must be somebody else than who is away');
    await this.db.transaction(async (tx) => {
      await insertAbsence(tx, absence, now);
      await appendAudit(tx, [event('added', absence, principal, now)]);
    });
    return shown(absence);
  }

  @Delete(':id')
  @HttpCode(204)
  @Roles(...DECIDERS)
  async remove(
    @Param('id', { schema: z.uuid('is not the id of an absence') }) id: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    const known = await findAbsence(this.db, id);
    if (known === undefined) throw new NotFound(`No absence ${id}. It may be over or taken back.`);
    if (known.person.id !== principal.id && !principal.roles.includes('admin'))
      throw new Forbidden(`Only ${known.person.name} or an admin may take this back.`);
    const now = Math.round(this.clock.now());
    await this.db.transaction(async (tx) => {
      const gone = await deleteAbsence(tx, id);
      if (gone !== undefined) await appendAudit(tx, [event('removed', gone, principal, now)]);
    });
  }
}

const shown = (absence: StoredAbsence): z.infer<typeof Absence> => ({
  id: absence.id,
  person: absence.person,
  from: new Date(absence.from).toISOString(),
  to: new Date(absence.to).toISOString(),
  substitute: absence.substitute ?? null,
  note: absence.note,
});

const event = (verb: string, absence: StoredAbsence, principal: Principal, at: number) => ({
  at,
  actor: auditActor(principal),
  action: `absence.${verb}`,
  subject: `user:${absence.person.id}`,
  data: {
    from: new Date(absence.from).toISOString(),
    to: new Date(absence.to).toISOString(),
    substitute: absence.substitute ?? null,
  },
});
