import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Put, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import {
  auditActor,
  CurrentPrincipal,
  OrOwner,
  VIEWERS,
  Roles,
  type Principal,
} from '../access/principal.js';
import { CONFIG, type Config } from '../config.js';
import { Conflict } from '../errors.js';
import { ruleNamed, writtenRule } from './owned-rule.js';
import { ApplyRules, ChangedRule, RuleName, RuleSpec } from './rule-spec.js';
import { AppliedView, RuleList, ruleView, RuleView, TestBody, TestResult, testView } from './rule-view.js';
import { TriggerTest } from './trigger-test.js';
import { Triggers } from './triggers.service.js';

const RemoveQuery = z.object({ version: z.coerce.number().int().min(1).optional() });

/** Which uploads start which workflow. */
@ApiTags('triggers')
@Controller('api/v1/triggers')
@Roles(...VIEWERS)
export class TriggersController {
  constructor(
    private readonly triggers: Triggers,
    private readonly tests: TriggerTest,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** In the order in which they are asked. */
  @Get()
  @ApiOkResponse({ standardSchema: RuleList })
  async list(): Promise<RuleList> {
    const rows = await this.triggers.list();
    return { items: await Promise.all(rows.map((row) => ruleView(row, this.triggers))) };
  }

  @Post()
  @ApiCreatedResponse({ standardSchema: RuleView })
  @Roles('author')
  @OrOwner(writtenRule)
  async create(
    @Body({ schema: RuleSpec }) body: RuleSpec,
    @CurrentPrincipal() principal: Principal,
  ): Promise<RuleView> {
    return ruleView(await this.triggers.create(body, auditActor(principal)), this.triggers);
  }

  /** What the rules would do with an upload, and of each one why. Starts nothing. */
  @Post('test')
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: TestResult })
  async test(@Body({ schema: TestBody }) body: z.infer<typeof TestBody>): Promise<TestResult> {
    return testView(await this.tests.test(body));
  }

  /** Makes these rules over those of the same names, all of them or none. */
  @Post('apply')
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: AppliedView })
  @Roles('author')
  async apply(
    @Body({ schema: ApplyRules }) { rules, prune }: z.infer<typeof ApplyRules>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<AppliedView> {
    const applied = await this.triggers.apply(rules, { actor: auditActor(principal), keeper: 'api', prune });
    return { created: [...applied.created], changed: [...applied.changed], deleted: [...applied.deleted] };
  }

  /** The file that kept rules is no more: whoever may change rules may change those, too. */
  @Post('release-file')
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: RuleList })
  @Roles('author')
  async releaseFile(@CurrentPrincipal() principal: Principal): Promise<RuleList> {
    if (this.config.TRIGGERS_FILE !== undefined) {
      throw new Conflict('TRIGGERS_FILE is set, and would be applied again. Start without it first.');
    }
    await this.triggers.releaseFile(auditActor(principal));
    return this.list();
  }

  @Get(':name')
  @ApiOkResponse({ standardSchema: RuleView })
  async one(@Param('name', { schema: RuleName }) name: string): Promise<RuleView> {
    return ruleView(await this.triggers.get(name), this.triggers);
  }

  @Put(':name')
  @ApiOkResponse({ standardSchema: RuleView })
  @Roles('author')
  @OrOwner(writtenRule)
  async replace(
    @Param('name', { schema: RuleName }) name: string,
    @Body({ schema: ChangedRule }) { ruleVersion, ...spec }: z.infer<typeof ChangedRule>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<RuleView> {
    const row = await this.triggers.replace({ name, ...spec }, ruleVersion, auditActor(principal));
    return ruleView(row, this.triggers);
  }

  @Delete(':name')
  @HttpCode(204)
  @Roles('author')
  @OrOwner(ruleNamed)
  remove(
    @Param('name', { schema: RuleName }) name: string,
    @Query({ schema: RemoveQuery }) { version }: z.infer<typeof RemoveQuery>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    return this.triggers.remove(name, version, auditActor(principal));
  }

  @Post(':name/enable')
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: RuleView })
  @Roles('author', 'operator')
  @OrOwner(ruleNamed)
  async enable(
    @Param('name', { schema: RuleName }) name: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<RuleView> {
    return ruleView(await this.triggers.setEnabled(name, true, auditActor(principal)), this.triggers);
  }

  @Post(':name/disable')
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: RuleView })
  @Roles('author', 'operator')
  @OrOwner(ruleNamed)
  async disable(
    @Param('name', { schema: RuleName }) name: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<RuleView> {
    return ruleView(await this.triggers.setEnabled(name, false, auditActor(principal)), this.triggers);
  }
}
