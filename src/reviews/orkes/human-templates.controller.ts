import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { auditActor, CurrentPrincipal, Roles, VIEWERS, type Principal } from '../../access/principal.js';
import { text } from '../request-fields.js';
import { FormTemplates, MAX_TEMPLATE_VERSION } from './form-templates.js';
import { HumanTaskTemplate, templateView } from './human-task.view.js';
import { HumanTasks } from './human-tasks.js';
import { SeesReviews } from '../review-access.js';

const MAX_UI_CHARACTERS = 64 * 1024;

const Name = text(200)
  .trim()
  .min(1)
  .regex(/^[^/]+$/, 'must not contain /');
const Version = z.coerce.number().int().min(1).max(MAX_TEMPLATE_VERSION);
const small = z
  .record(z.string(), z.unknown())
  .refine(
    (value) => JSON.stringify(value).length <= MAX_UI_CHARACTERS,
    `must be at most ${MAX_UI_CHARACTERS} characters of JSON`,
  );

const NewTemplate = z
  .object({
    name: Name,
    /** 0, or none: the newest. */
    version: z.number().int().min(0).max(MAX_TEMPLATE_VERSION).nullish(),
    jsonSchema: z.record(z.string(), z.unknown()),
    templateUI: small.nullish(),
    tags: z.array(z.record(z.string(), z.unknown())).max(50).nullish(),
  })
  .transform(({ version, templateUI, tags, ...template }) => ({
    ...template,
    version: version == null || version === 0 ? undefined : version,
    templateUI: templateUI ?? {},
    tags: tags ?? [],
  }));
const NewTemplates = z.array(NewTemplate).min(1).max(100);
const SaveQuery = z.object({
  newVersion: z
    .enum(['true', 'false'])
    .default('false')
    .transform((value) => value === 'true'),
});
const ListQuery = z.object({ name: Name.optional(), version: Version.optional() });

/** Forms that HUMAN tasks name in `userFormTemplate`: a JSON Schema and how it is laid out, in versions. */
@ApiTags('human tasks')
@Controller('api/human/template')
export class HumanTemplatesController {
  constructor(
    private readonly templates: FormTemplates,
    private readonly tasks: HumanTasks,
  ) {}

  @Get()
  @Roles(...VIEWERS)
  @ApiOkResponse({ standardSchema: z.array(HumanTaskTemplate) })
  async list(@Query({ schema: ListQuery }) query: z.infer<typeof ListQuery>): Promise<HumanTaskTemplate[]> {
    return (await this.templates.list(query)).map(templateView);
  }

  /** Saves a version, or the next one. One with which something asks that still waits stays as it is (409). */
  @Post()
  @HttpCode(200)
  @Roles('author')
  @ApiOkResponse({ standardSchema: HumanTaskTemplate })
  async save(
    @Body({ schema: NewTemplate }) body: z.infer<typeof NewTemplate>,
    @Query({ schema: SaveQuery }) { newVersion }: z.infer<typeof SaveQuery>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<HumanTaskTemplate | undefined> {
    const [saved] = await this.templates.save([body], newVersion, auditActor(principal));
    return saved && templateView(saved);
  }

  /** All of them or none. */
  @Post('bulk')
  @HttpCode(200)
  @Roles('author')
  @ApiOkResponse({ standardSchema: z.array(HumanTaskTemplate) })
  async saveAll(
    @Body({ schema: NewTemplates }) body: z.infer<typeof NewTemplates>,
    @Query({ schema: SaveQuery }) { newVersion }: z.infer<typeof SaveQuery>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<HumanTaskTemplate[]> {
    return (await this.templates.save(body, newVersion, auditActor(principal))).map(templateView);
  }

  /** The form of a task, by the task's id. */
  @Get(':taskId')
  @SeesReviews()
  @ApiOkResponse({ standardSchema: HumanTaskTemplate })
  ofTask(
    @Param('taskId', { schema: text(255).min(1) }) taskId: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<HumanTaskTemplate> {
    return this.tasks.templateOf(taskId, principal);
  }

  @Get(':name/:version')
  @Roles(...VIEWERS)
  @ApiOkResponse({ standardSchema: HumanTaskTemplate })
  async get(
    @Param('name', { schema: Name }) name: string,
    @Param('version', { schema: Version }) version: number,
  ): Promise<HumanTaskTemplate> {
    return templateView(await this.templates.get(name, version));
  }

  @Delete(':name')
  @Roles('author')
  removeAll(
    @Param('name', { schema: Name }) name: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    return this.templates.remove(name, undefined, auditActor(principal));
  }

  @Delete(':name/:version')
  @Roles('author')
  remove(
    @Param('name', { schema: Name }) name: string,
    @Param('version', { schema: Version }) version: number,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    return this.templates.remove(name, version, auditActor(principal));
  }
}
