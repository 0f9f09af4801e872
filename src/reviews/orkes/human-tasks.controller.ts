import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { CurrentPrincipal, Roles, type Principal } from '../../access/principal.js';
import { text } from '../request-fields.js';
import { MAX_REASON_LENGTH } from '../rules/command.js';
import { HumanTaskSearch } from './human-search.js';
import { HumanTaskEntry, HumanTaskSearchResult, HumanTaskUser } from './human-task.view.js';
import { HumanTasks } from './human-tasks.js';
import { DecidesReviews, SeesReviews } from '../review-access.js';

const TaskId = text(255).min(1);
const flag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((value) => value === 'true');
const GetQuery = z.object({ withTemplate: flag });
const ClaimQuery = z.object({ overrideAssignment: flag, withTemplate: flag });
const UpdateQuery = z.object({ complete: flag });
const ByReferenceQuery = z.object({
  workflowId: text(255).min(1),
  taskRefName: text(255).min(1),
  complete: flag,
  iteration: z.coerce.number().int().min(1).max(1_000_000).optional(),
});
const SkipQuery = z.object({ reason: text(MAX_REASON_LENGTH).default('') });
const Output = z.record(z.string().max(200), z.unknown());
const NoOrOutput = Output.nullish();
const Assignments = z
  .array(
    z.object({
      assignee: HumanTaskUser.extend({ user: text(200).min(1) }),
      slaMinutes: z.number().nullish(),
    }),
  )
  .min(1)
  .max(20);
const TaskIds = z.array(TaskId).min(1).max(100);

/**
 * Orkes Conductor's human task API, for its SDKs and UIs: reviews under the id of their task. What people do here is what
 * they do below `/api/v1/reviews`.
 */
@ApiTags('human tasks')
@Controller('api/human/tasks')
export class HumanTasksController {
  constructor(private readonly tasks: HumanTasks) {}

  @Post('search')
  @HttpCode(200)
  @SeesReviews()
  @ApiOkResponse({ standardSchema: HumanTaskSearchResult })
  search(
    @Body({ schema: HumanTaskSearch }) body: z.infer<typeof HumanTaskSearch>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<z.infer<typeof HumanTaskSearchResult>> {
    return this.tasks.search(body, principal);
  }

  /** Titles of what waits. */
  @Get('getTaskDisplayNames')
  @SeesReviews()
  displayNames(@CurrentPrincipal() principal: Principal): Promise<string[]> {
    return this.tasks.displayNames(principal);
  }

  @Get(':taskId')
  @SeesReviews()
  @ApiOkResponse({ standardSchema: HumanTaskEntry })
  get(
    @Param('taskId', { schema: TaskId }) taskId: string,
    @Query({ schema: GetQuery }) { withTemplate }: z.infer<typeof GetQuery>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<HumanTaskEntry> {
    return this.tasks.get(taskId, principal, withTemplate);
  }

  @Post(':taskId/claim')
  @HttpCode(200)
  @DecidesReviews()
  @ApiOkResponse({ standardSchema: HumanTaskEntry })
  claim(
    @Param('taskId', { schema: TaskId }) taskId: string,
    @Query({ schema: ClaimQuery }) options: z.infer<typeof ClaimQuery>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<HumanTaskEntry> {
    return this.tasks.claim(taskId, principal, options);
  }

  /** Gives it to that person: nobody is made to have claimed, or said, what they did not. */
  @Post([':taskId/externalUser/:userId', ':taskId/claim/:userId'])
  @HttpCode(200)
  @DecidesReviews()
  @ApiOkResponse({ standardSchema: HumanTaskEntry })
  claimFor(
    @Param('taskId', { schema: TaskId }) taskId: string,
    @Param('userId', { schema: text(200).min(1) }) userId: string,
    @Query({ schema: ClaimQuery }) options: z.infer<typeof ClaimQuery>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<HumanTaskEntry> {
    return this.tasks.claimFor(taskId, userId, principal, options);
  }

  @Post(':taskId/release')
  @HttpCode(200)
  @DecidesReviews()
  release(
    @Param('taskId', { schema: TaskId }) taskId: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    return this.tasks.release(taskId, principal);
  }

  @Post(':taskId/reassign')
  @HttpCode(200)
  @DecidesReviews()
  reassign(
    @Param('taskId', { schema: TaskId }) taskId: string,
    @Body({ schema: Assignments }) body: z.infer<typeof Assignments>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    return this.tasks.reassign(taskId, body, principal);
  }

  /** Passes it on to those who are asked next. */
  @Post(':taskId/skip')
  @HttpCode(200)
  @DecidesReviews()
  skip(
    @Param('taskId', { schema: TaskId }) taskId: string,
    @Query({ schema: SkipQuery }) { reason }: z.infer<typeof SkipQuery>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    return this.tasks.skip(taskId, reason, principal);
  }

  /** Keeps what was filled in so far; with `complete=true` it is the caller's answer. */
  @Post(':taskId/update')
  @HttpCode(200)
  @DecidesReviews()
  update(
    @Param('taskId', { schema: TaskId }) taskId: string,
    @Query({ schema: UpdateQuery }) { complete }: z.infer<typeof UpdateQuery>,
    @Body({ schema: NoOrOutput }) output: z.infer<typeof NoOrOutput>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    return this.written(taskId, output ?? {}, complete, principal);
  }

  @Post(':taskId/complete')
  @HttpCode(200)
  @DecidesReviews()
  complete(
    @Param('taskId', { schema: TaskId }) taskId: string,
    @Body({ schema: NoOrOutput }) output: z.infer<typeof NoOrOutput>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    return this.tasks.complete(taskId, output ?? {}, principal);
  }

  /** The same by the reference in a workflow: of one iteration of its loop, else the latest. */
  @Post('update/taskRef')
  @HttpCode(200)
  @DecidesReviews()
  async updateByReference(
    @Query({ schema: ByReferenceQuery }) query: z.infer<typeof ByReferenceQuery>,
    @Body({ schema: NoOrOutput }) output: z.infer<typeof NoOrOutput>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    const { workflowId, taskRefName, complete, iteration } = query;
    const taskId = await this.tasks.byReference(workflowId, taskRefName, iteration);
    await this.written(taskId, output ?? {}, complete, principal);
  }

  /** Closes what waits for tasks that ended without it; what a workflow waits for stays (409). */
  @Delete('delete')
  @Roles('operator')
  async removeAll(
    @Body({ schema: TaskIds }) taskIds: z.infer<typeof TaskIds>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    for (const taskId of taskIds) await this.tasks.removeEnded(taskId, principal);
  }

  @Delete('delete/:taskId')
  @Roles('operator')
  remove(
    @Param('taskId', { schema: TaskId }) taskId: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    return this.tasks.removeEnded(taskId, principal);
  }

  private written(
    taskId: string,
    output: z.infer<typeof Output>,
    complete: boolean,
    principal: Principal,
  ): Promise<void> {
    return complete
      ? this.tasks.complete(taskId, output, principal)
      : this.tasks.save(taskId, output, principal);
  }
}
