import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { actorOf, CurrentPrincipal, hasRole, Roles, type Principal } from '../../access/principal.js';
import { Conflict } from '../../errors.js';
import { SallyportEngine } from '../runtime/sallyport-engine.js';
import { Id, TaskReportBody } from './schemas.js';

/** Reports of attempts for clients that want to know when they came too late. */
@ApiTags('tasks')
@Controller('api/v1/tasks')
export class TaskReportsController {
  constructor(private readonly engine: SallyportEngine) {}

  @Post(':taskId')
  @HttpCode(200)
  @Roles('worker', 'operator')
  async report(
    @Param('taskId', { schema: Id }) taskId: string,
    @Body({ schema: TaskReportBody }) body: z.infer<typeof TaskReportBody>,
    @CurrentPrincipal() principal: Principal,
  ) {
    const workflowInstanceId =
      body.workflowInstanceId ?? (await this.engine.getTask(taskId)).workflowInstanceId;
    const status = body.status ?? 'IN_PROGRESS';
    const { outcome, task } = await this.engine.report(
      { ...body, taskId, workflowInstanceId, status, asWorker: !hasRole(principal, ['operator']) },
      actorOf(principal),
    );
    if (outcome.kind === 'applied') {
      return { taskId, workflowInstanceId, taskStatus: task.status, lease: task.pollCount };
    }
    throw new Conflict(
      `This report came too late and changed nothing: task ${taskId} is ${outcome.status}. Poll for the next task.`,
      {
        taskStatus: outcome.status,
        holder: outcome.holder,
        lease: outcome.lease,
        endTime: outcome.endTime,
      },
    );
  }
}
