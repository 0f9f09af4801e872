import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { READERS, Roles, VIEWERS } from '../../access/principal.js';
import { SallyportEngine } from '../runtime/sallyport-engine.js';
import { ExecutionsQuery, Id } from './schemas.js';
import { leaseFacts, outputFacts } from '../stream/facts.js';
import { taskView, workflowView } from './views.js';

/** What the web pages show of executions: the list, and one with the reasons why it does not move. */
@ApiTags('executions')
@Controller('api/v1/executions')
@Roles(...VIEWERS)
export class ExecutionsController {
  constructor(private readonly engine: SallyportEngine) {}

  @Get()
  list(@Query({ schema: ExecutionsQuery }) { name, ...query }: z.infer<typeof ExecutionsQuery>) {
    return this.engine.search({ ...query, workflowName: name });
  }

  @Get(':id')
  @Roles(...READERS)
  async get(@Param('id', { schema: Id }) id: string) {
    const { execution, leases, why } = await this.engine.explain(id);
    const tasks = execution.tasks.map((task) => ({
      ...taskView(task, execution),
      ...outputFacts(task.taskType, task.outputData),
      subWorkflowId: task.subWorkflowId,
      lease: leaseFacts(leases.get(task.taskId)),
      queued: task.queued,
      dueAt: task.dueAt,
    }));
    return { ...workflowView(execution, execution.tasks), tasks, revision: execution.revision, why };
  }

  /** Why it does not move, as data and as a sentence each: at most 50 steps, `leftOut` says how many more are open. */
  @Get(':id/why')
  async why(@Param('id', { schema: Id }) id: string) {
    const { execution, why, leftOut, at } = await this.engine.explain(id);
    return { workflowId: execution.workflowId, status: execution.status, at, why, leftOut };
  }
}
