import {
  Body,
  Controller,
  Delete,
  Get,
  Header,
  Headers,
  HttpCode,
  Param,
  Post,
  Put,
  Query,
  Res,
} from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { actorOf, CurrentPrincipal, READERS, Roles, type Principal } from '../../access/principal.js';
import type { JsonObject } from '../model/json.js';
import { parseTraceparent } from '../observability/trace-context.js';
import { SallyportEngine } from '../runtime/sallyport-engine.js';
import {
  ExecuteBody,
  ExecuteQuery,
  ExecuteVersion,
  GetQuery,
  Id,
  Payload,
  ReasonQuery,
  SearchQuery,
  StartBody,
  StartQuery,
  StatusQuery,
  TasksQuery,
} from './schemas.js';
import { searchWorkflows } from './search.js';
import { signalResponse } from './signal-response.js';
import { taskView, workflowView } from './views.js';

const TEXT = ['content-type', 'text/plain; charset=utf-8'] as const;

/** A header that is no trace's is to be ignored (W3C); what stands in a body is somebody's mistake and refused. */
const usable = (header: string | undefined): string | undefined =>
  header !== undefined && parseTraceparent(header) !== undefined ? header.trim() : undefined;

/** Conductor's workflow API: start, look, steer. */
@ApiTags('workflow')
@Controller('api/workflow')
export class WorkflowController {
  constructor(private readonly engine: SallyportEngine) {}

  @Post()
  @HttpCode(200)
  @Header(...TEXT)
  @Roles('operator')
  start(
    @Body({ schema: StartBody }) body: z.infer<typeof StartBody>,
    @CurrentPrincipal() principal: Principal,
    @Headers('traceparent') header: string | undefined,
  ): Promise<string> {
    const traceparent = body.traceparent ?? usable(header);
    return this.engine.start({ ...body, traceparent }, actorOf(principal));
  }

  /** Starts and answers when it has ended or stops for somebody: woken by the commit, nothing polls. */
  @Post('execute/:name/:version')
  @HttpCode(200)
  @Roles('operator')
  async execute(
    @Param('name', { schema: Id }) name: string,
    @Param('version', { schema: ExecuteVersion }) version: number,
    @Query({ schema: ExecuteQuery }) query: z.infer<typeof ExecuteQuery>,
    @Body({ schema: ExecuteBody }) body: z.infer<typeof ExecuteBody>,
    @CurrentPrincipal() principal: Principal,
    @Headers('traceparent') header: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const traceparent = body?.traceparent ?? usable(header);
    const request = { ...body, name, version: version === 0 ? undefined : version, traceparent };
    const wait = {
      waitMs: query.waitForSeconds * 1_000,
      references: query.waitUntilTaskRef,
      client: `${principal.kind}:${principal.id}`,
      signal: whenAnswered(reply),
    };
    const executed = await this.engine.execute(request, wait, actorOf(principal));
    const inside = executed.task?.workflowInstanceId;
    const blocking =
      inside === undefined ||
      inside === executed.execution.workflowId ||
      query.returnStrategy === 'TARGET_WORKFLOW'
        ? undefined
        : await this.engine.find(inside);
    return signalResponse(executed, blocking, query.returnStrategy, query.requestId);
  }

  @Get('search')
  @Roles(...READERS)
  search(@Query({ schema: SearchQuery }) query: z.infer<typeof SearchQuery>) {
    return searchWorkflows(this.engine, query);
  }

  @Post(':name')
  @HttpCode(200)
  @Header(...TEXT)
  @Roles('operator')
  startByName(
    @Param('name', { schema: Id }) name: string,
    @Query({ schema: StartQuery }) query: z.infer<typeof StartQuery>,
    @Body({ schema: Payload }) input: JsonObject,
    @CurrentPrincipal() principal: Principal,
    @Headers('traceparent') header: string | undefined,
  ): Promise<string> {
    const traceparent = usable(header);
    return this.engine.start({ name, ...query, input, traceparent }, actorOf(principal));
  }

  @Get(':id')
  @Roles(...READERS, 'worker')
  async get(
    @Param('id', { schema: Id }) id: string,
    @Query({ schema: GetQuery }) { includeTasks }: z.infer<typeof GetQuery>,
  ) {
    const execution = await this.engine.get(id);
    return workflowView(execution, includeTasks ? execution.tasks : []);
  }

  @Get(':id/tasks')
  @Roles(...READERS, 'worker')
  async tasks(
    @Param('id', { schema: Id }) id: string,
    @Query({ schema: TasksQuery }) { start, count, status }: z.infer<typeof TasksQuery>,
  ) {
    const execution = await this.engine.get(id);
    const found = execution.tasks.filter((task) => status === undefined || status.includes(task.status));
    const results = found.slice(start, start + count).map((task) => taskView(task, execution));
    return { totalHits: found.length, results };
  }

  @Get(':id/status')
  @Roles(...READERS, 'worker')
  async status(
    @Param('id', { schema: Id }) id: string,
    @Query({ schema: StatusQuery }) query: z.infer<typeof StatusQuery>,
  ) {
    const { workflowId, correlationId, output, variables, status } = await this.engine.get(id);
    return {
      workflowId,
      correlationId,
      ...(query.includeOutput ? { output } : {}),
      ...(query.includeVariables ? { variables } : {}),
      status,
    };
  }

  @Delete(':id')
  @HttpCode(200)
  @Roles('operator')
  terminate(
    @Param('id', { schema: Id }) id: string,
    @Query({ schema: ReasonQuery }) { reason }: z.infer<typeof ReasonQuery>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    return this.engine.terminate(id, reason, actorOf(principal));
  }

  @Put(':id/pause')
  @Roles('operator')
  pause(@Param('id', { schema: Id }) id: string, @CurrentPrincipal() principal: Principal): Promise<void> {
    return this.engine.pause(id, actorOf(principal));
  }

  @Put(':id/resume')
  @Roles('operator')
  resume(@Param('id', { schema: Id }) id: string, @CurrentPrincipal() principal: Principal): Promise<void> {
    return this.engine.resume(id, actorOf(principal));
  }

  @Post(':id/retry')
  @HttpCode(204)
  @Roles('operator')
  retry(@Param('id', { schema: Id }) id: string, @CurrentPrincipal() principal: Principal): Promise<void> {
    return this.engine.retry(id, actorOf(principal));
  }
}

/** Aborts when the answer is out or the client gone. */
function whenAnswered(reply: FastifyReply): AbortSignal {
  const over = new AbortController();
  reply.raw.once('close', () => over.abort());
  return over.signal;
}
