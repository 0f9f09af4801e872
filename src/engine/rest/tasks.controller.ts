import type { Socket } from 'node:net';
import {
  Body,
  Controller,
  Get,
  Header,
  HttpCode,
  MethodNotAllowedException,
  Param,
  Post,
  Query,
  Req,
  Res,
} from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import {
  actorOf,
  CurrentPrincipal,
  hasRole,
  VIEWERS,
  Roles,
  READERS,
  type Principal,
} from '../../access/principal.js';
import { InvalidInput } from '../../errors.js';
import { isForPeople } from '../decider/mappers/index.js';
import type { ClaimedTask } from '../execution-store.js';
import type { JsonObject } from '../model/json.js';
import type { ReportedStatus } from '../model/command.js';
import type { TaskResult } from '../ports.js';
import { SallyportEngine } from '../runtime/sallyport-engine.js';
import {
  BatchPollQuery,
  Id,
  LogBody,
  Payload,
  PollDataQuery,
  PollQuery,
  QueueSizesQuery,
  Reported,
  TaskResultBody,
  UpdateQuery,
} from './schemas.js';
import { claimedView, taskView } from './views.js';

const TEXT = ['content-type', 'text/plain; charset=utf-8'] as const;

/** Conductor's task API: what workers outside this process poll and report. */
@ApiTags('tasks')
@Controller('api/tasks')
export class TasksController {
  constructor(private readonly engine: SallyportEngine) {}

  @Get('poll/batch/:type')
  @Roles('worker', 'operator')
  async pollBatch(
    @Param('type', { schema: Id }) taskType: string,
    @Query({ schema: BatchPollQuery }) query: z.infer<typeof BatchPollQuery>,
    @CurrentPrincipal() principal: Principal,
    @Req() request: FastifyRequest,
  ) {
    checkForWorkers(taskType);
    const { workerid: workerId, domain, count, timeout: timeoutMs } = query;
    const signal = whenGone(request);
    refuseHead(request);
    const client = `${principal.id}@${request.ip}`;
    const claimed = await this.engine.poll({ taskType, workerId, domain, count, timeoutMs, client, signal });
    return claimed.map(claimedView);
  }

  @Get('poll/:type')
  @Roles('worker', 'operator')
  async poll(
    @Param('type', { schema: Id }) taskType: string,
    @Query({ schema: PollQuery }) { workerid: workerId, domain }: z.infer<typeof PollQuery>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    refuseHead(request);
    checkForWorkers(taskType);
    const signal = whenGone(request);
    const [claimed] = await this.engine.poll({ taskType, workerId, domain, count: 1, timeoutMs: 0, signal });
    return taskOrNothing(claimed, reply);
  }

  @Get('queue/sizes')
  async queueSizes(@Query({ schema: QueueSizesQuery }) { taskType }: z.infer<typeof QueueSizesQuery>) {
    return Object.fromEntries(await this.engine.queueSizes(taskType ?? []));
  }

  @Get('queue/all')
  async allQueues() {
    return Object.fromEntries(await this.engine.queueSizes());
  }

  @Get('queue/polldata')
  @Roles(...VIEWERS)
  pollData(@Query({ schema: PollDataQuery }) { taskType }: z.infer<typeof PollDataQuery>) {
    return this.engine.pollData(taskType);
  }

  @Get('queue/polldata/all')
  @Roles(...VIEWERS)
  allPollData() {
    return this.engine.pollData();
  }

  @Post()
  @HttpCode(200)
  @Header(...TEXT)
  @Roles('worker', 'operator')
  async update(
    @Body({ schema: TaskResultBody }) body: z.infer<typeof TaskResultBody>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<string> {
    await this.engine.report(resultOf(body, principal), actorOf(principal));
    return body.taskId;
  }

  /** Answers with the next task of the same type, so that a busy worker needs one call per task. */
  @Post('update-v2')
  @HttpCode(200)
  @Roles('worker', 'operator')
  async updateAndPoll(
    @Body({ schema: TaskResultBody }) body: z.infer<typeof TaskResultBody>,
    @CurrentPrincipal() principal: Principal,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const worker = { workerId: body.workerId ?? '', signal: whenGone(request) };
    const [claimed] = await this.engine.reportAndPoll(resultOf(body, principal), actorOf(principal), worker);
    return taskOrNothing(claimed, reply);
  }

  @Post(':workflowId/:reference/:status')
  @HttpCode(200)
  @Header(...TEXT)
  @Roles('worker', 'operator')
  async updateByReference(
    @Param('workflowId', { schema: Id }) workflowInstanceId: string,
    @Param('reference', { schema: Id }) reference: string,
    @Param('status', { schema: Reported }) status: ReportedStatus,
    @Query({ schema: UpdateQuery }) { workerid: workerId }: z.infer<typeof UpdateQuery>,
    @Body({ schema: Payload }) outputData: JsonObject,
    @CurrentPrincipal() principal: Principal,
  ): Promise<string> {
    const { taskId } = await this.engine.taskByReference(workflowInstanceId, reference);
    await this.engine.updateTask(
      { workflowInstanceId, taskId, status, outputData, workerId, asWorker: isWorkerOnly(principal) },
      actorOf(principal),
    );
    return taskId;
  }

  @Post(':id/log')
  @HttpCode(200)
  @Roles('worker', 'operator')
  async log(
    @Param('id', { schema: Id }) taskId: string,
    @Body({ schema: LogBody }) line: string,
  ): Promise<void> {
    await this.engine.getTask(taskId);
    await this.engine.appendLogs(taskId, [line]);
  }

  @Get(':id/log')
  @Roles(...READERS, 'worker')
  async logs(@Param('id', { schema: Id }) taskId: string, @Res({ passthrough: true }) reply: FastifyReply) {
    const lines = await this.engine.logs(taskId);
    if (lines.length > 0) return lines;
    await this.engine.getTask(taskId);
    void reply.status(204);
    return undefined;
  }

  @Get(':id')
  @Roles(...READERS, 'worker')
  async get(@Param('id', { schema: Id }) taskId: string) {
    return taskView(await this.engine.getTask(taskId));
  }
}

// Late reports are answered like others, as in Conductor, whose SDKs would log anything else as a fault.
const resultOf = (body: z.infer<typeof TaskResultBody>, principal: Principal): TaskResult => ({
  ...body,
  status: body.status ?? 'IN_PROGRESS',
  asWorker: isWorkerOnly(principal),
});

const isWorkerOnly = (principal: Principal): boolean => !hasRole(principal, ['operator']);

/** @throws InvalidInput */
function checkForWorkers(taskType: string): void {
  if (!isForPeople(taskType)) return;
  const remedy = 'decide their reviews (/api/v1/reviews), or report one by its id as an operator';
  throw InvalidInput.field(
    'taskType',
    `${taskType} tasks are for people and not handed to workers; ${remedy}`,
  );
}

function taskOrNothing(claimed: ClaimedTask | undefined, reply: FastifyReply) {
  if (claimed !== undefined) return claimedView(claimed);
  void reply.status(204);
  return undefined;
}

/** The routes of GET answer HEAD as well, whose answer has no room for the tasks that a poll takes. */
function refuseHead({ method }: FastifyRequest): void {
  if (method === 'HEAD') throw new MethodNotAllowedException('A poll hands tasks out; ask with GET.');
}

const connections = new WeakMap<Socket, AbortSignal>();

/** Aborts when the client closes its connection, so that nothing is claimed for nobody. One listener per connection. */
function whenGone({ raw: { socket } }: FastifyRequest): AbortSignal {
  const known = connections.get(socket);
  if (known !== undefined) return known;
  const gone = new AbortController();
  // Who left while his rights were looked up has been closed already, and says so no more.
  if (socket.destroyed) gone.abort();
  else socket.once('close', () => gone.abort());
  connections.set(socket, gone.signal);
  return gone.signal;
}
