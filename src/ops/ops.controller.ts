import { setTimeout as sleep } from 'node:timers/promises';
import { Controller, Get, Header, Inject, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Registry } from 'prom-client';
import { EvenWithoutDatabase, Public, Roles } from '../access/principal.js';
import { Database } from '../database/database.js';
import { HealthRegistry } from './health.js';
import { METRICS } from './metrics.js';
import { VERSION } from './version.js';

// A probe that hangs is a probe that failed.
const READY_WITHIN_MS = 1_500;

/** Is it alive, is it ready, how is it. The public answers hold states and remedies, nothing of objects or people. */
@ApiTags('ops')
@Controller()
export class OpsController {
  constructor(
    private readonly health: HealthRegistry,
    private readonly db: Database,
    @Inject(METRICS) private readonly metrics: Registry,
  ) {}

  /** Conductor's shape, which every SDK's readiness probe reads. 503 when something that must work does not. */
  @Public()
  @Get(['health', 'api/health'])
  async overall(@Res({ passthrough: true }) reply: FastifyReply) {
    const results = await this.health.results();
    const healthy = results.every((result) => result.healthy);
    if (!healthy) void reply.status(503);
    const healthResults = results.map((result) => ({
      name: result.name,
      healthy: result.healthy,
      details: result,
    }));
    return {
      healthResults,
      suppressedHealthResults: [],
      healthy,
      degraded: results.some((result) => result.degraded === true),
    };
  }

  @Public()
  @Get('health/live')
  live(): { alive: true } {
    return { alive: true };
  }

  @Public()
  @Get('health/ready')
  async ready(@Res({ passthrough: true }) reply: FastifyReply) {
    const late = new AbortController();
    const problem = await Promise.race([
      this.db.query('SELECT 1', [], READY_WITHIN_MS).then(
        () => undefined,
        (error: unknown) => (error as Error).message,
      ),
      // A connection of its own may take longer to be had than the answer to be given.
      sleep(READY_WITHIN_MS, `nothing within ${READY_WITHIN_MS} ms`, { signal: late.signal, ref: false }),
    ]);
    late.abort();
    if (problem === undefined) return { ready: true };
    void reply.status(503);
    return { ready: false, reason: `PostgreSQL does not answer: ${problem}` };
  }

  /** Answers also while PostgreSQL does not: then it is wanted most. */
  @EvenWithoutDatabase()
  @Roles('operator', 'auditor', 'worker')
  @Get('metrics')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  async prometheus(@Res() reply: FastifyReply): Promise<void> {
    await reply.type(this.metrics.contentType).send(await this.metrics.metrics());
  }

  @Get('api/version')
  @Header('content-type', 'text/plain; charset=utf-8')
  version(): string {
    return VERSION;
  }
}
