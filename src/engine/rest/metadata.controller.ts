import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import {
  actorOf,
  CurrentPrincipal,
  hasRole,
  OrOwner,
  Roles,
  type Owned,
  type Principal,
} from '../../access/principal.js';
import { AppError, InvalidInput } from '../../errors.js';
import { parseWorkflowDef } from '../decider/parse-definition.js';
import { TaskDef, type WorkflowDef } from '../model/definition.js';
import { Metadata } from '../ports.js';
import { Id, OverwriteQuery, VersionParam, VersionQuery } from './schemas.js';

// Conductor's own exports write absent properties as null.
const withoutNulls = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).filter(([, item]) => item !== null))
    : value;

const TaskDefBody = z.preprocess(withoutNulls, TaskDef);
const TaskDefsBody = z.array(TaskDefBody).max(1_000);
/** Checked by parseWorkflowDef, which names JSON paths. */
const Json = z.unknown();
const DefinitionsBody = z.array(Json).max(1_000);

/** Conductor's metadata API: definitions of workflows and tasks. */
@ApiTags('metadata')
@Controller('api/metadata')
export class MetadataController {
  constructor(private readonly metadata: Metadata) {}

  @Post('workflow')
  @HttpCode(200)
  @Roles('author')
  @OrOwner(({ body }) => [workflowIn(body)])
  register(
    @Query({ schema: OverwriteQuery }) { overwrite }: z.infer<typeof OverwriteQuery>,
    @Body({ schema: Json }) body: unknown,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    return this.metadata.registerWorkflow(definitionIn(body), { overwrite }, actorOf(principal));
  }

  /** Each definition by itself: some may be taken and others not. */
  @Put('workflow')
  @Roles('author')
  @OrOwner(({ body }) => (Array.isArray(body) ? body.map(workflowIn) : []))
  async put(
    @Body({ schema: DefinitionsBody }) bodies: readonly unknown[],
    @CurrentPrincipal() principal: Principal,
  ) {
    const bulkErrorResults: Record<string, string> = {};
    const bulkSuccessfulResults: string[] = [];
    for (const [index, body] of bodies.entries()) {
      const name = nameIn(body) ?? `[${index}]`;
      try {
        const def = parseWorkflowDef(body);
        await this.metadata.registerWorkflow(def, { overwrite: true }, actorOf(principal));
        bulkSuccessfulResults.push(name);
      } catch (error) {
        if (!(error instanceof AppError) || error.status >= 500) throw error;
        bulkErrorResults[name] = error.message;
      }
    }
    return { bulkErrorResults, bulkSuccessfulResults, message: 'Bulk Request has been processed.' };
  }

  @Post('workflow/validate')
  @HttpCode(200)
  validate(@Body({ schema: Json }) body: unknown): void {
    definitionIn(body);
  }

  @Get('workflow')
  list() {
    return this.metadata.listWorkflows();
  }

  @Get('workflow/:name')
  get(
    @Param('name', { schema: Id }) name: string,
    @Query({ schema: VersionQuery }) { version }: z.infer<typeof VersionQuery>,
  ) {
    return this.metadata.getWorkflow(name, version);
  }

  @Delete('workflow/:name/:version')
  @Roles('author')
  @OrOwner(({ params }) => [workflowIn(params)])
  remove(
    @Param('name', { schema: Id }) name: string,
    @Param('version', { schema: VersionParam }) version: number,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    return this.metadata.deleteWorkflow(name, version, actorOf(principal));
  }

  /** A worker may add what is missing and say again what is there; to change one takes an author. */
  @Post('taskdefs')
  @HttpCode(200)
  @Roles('author', 'worker')
  registerTasks(
    @Body({ schema: TaskDefsBody }) defs: TaskDef[],
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    return this.metadata.registerTasks(defs, actorOf(principal), {
      asWorker: !hasRole(principal, ['author']),
    });
  }

  @Put('taskdefs')
  @Roles('author', 'worker')
  async updateTask(
    @Body({ schema: TaskDefBody }) def: TaskDef,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    await this.metadata.getTask(def.name);
    await this.metadata.registerTasks([def], actorOf(principal), {
      asWorker: !hasRole(principal, ['author']),
    });
  }

  @Get('taskdefs')
  listTasks() {
    return this.metadata.listTasks();
  }

  @Get('taskdefs/:name')
  getTask(@Param('name', { schema: Id }) name: string) {
    return this.metadata.getTask(name);
  }

  @Delete('taskdefs/:name')
  @Roles('author')
  removeTask(
    @Param('name', { schema: Id }) name: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    return this.metadata.deleteTask(name, actorOf(principal));
  }
}

/** @throws InvalidInput; what is wrong with the whole is at `body`, as with every other body. */
function definitionIn(body: unknown): WorkflowDef {
  try {
    return parseWorkflowDef(body);
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    const problems = error.problems.map(({ path, message }) => ({ path: path || 'body', message }));
    throw new InvalidInput(error.message, problems, { cause: error });
  }
}

function nameIn(body: unknown): string | undefined {
  const name = typeof body === 'object' && body !== null && 'name' in body ? body.name : undefined;
  return typeof name === 'string' ? name : undefined;
}

const workflowIn = (body: unknown): Owned => ({ kind: 'workflow', name: nameIn(body) ?? '' });
