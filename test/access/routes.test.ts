import 'reflect-metadata';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { expect, test } from 'vitest';
import { PUBLIC_ROUTE, ROUTE_ROLES, type AccessRole } from '../../src/access/principal.js';

/*
 * Every route of every controller, and who may call it (an admin may call each). A new route is missing here until
 * somebody has thought about that.
 */

const TABLE: Readonly<Record<string, readonly string[]>> = {
  // Each guards itself: by its own token, link, code or login.
  everybody: [
    'GET /health',
    'GET /api/health',
    'GET /health/live',
    'GET /health/ready',
    'POST /api/v1/session',
    'DELETE /api/v1/session',
    'POST /api/token',
    'GET /api/v1/home-proof',
    'POST /events/s3',
    'POST /events/s3/:token',
    'POST /events/sns',
    'GET /r/:token',
    'GET /r/v/:handle',
    'POST /r/v/:handle',
    'GET /api/v1/content/:token',
    'GET /api/v1/slack/link',
    'POST /api/v1/slack/link',
  ],
  // The places of stored values and the stream look at the roles themselves, by what is asked for.
  'whoever is logged in': [
    'GET /api/version',
    'GET /api/v1/session',
    'GET /api/tasks/queue/sizes',
    'GET /api/tasks/queue/all',
    'GET /api/tasks/:id',
    'GET /api/tasks/:id/log',
    'GET /api/workflow/:id',
    'GET /api/workflow/:id/tasks',
    'GET /api/workflow/:id/status',
    'GET /api/workflow/externalstoragelocation',
    'GET /api/workflow/external-storage-location',
    'GET /api/tasks/externalstoragelocation',
    'GET /api/metadata/workflow',
    'GET /api/metadata/workflow/:name',
    'POST /api/metadata/workflow/validate',
    'GET /api/metadata/taskdefs',
    'GET /api/metadata/taskdefs/:name',
    'GET /api/v1/stream',
  ],
  'analyst, auditor, engineer': [
    'GET /api/workflow/search',
    'GET /api/tasks/queue/polldata',
    'GET /api/tasks/queue/polldata/all',
    'GET /api/v1/executions',
    'GET /api/v1/executions/:id',
    'GET /api/v1/executions/:id/why',
    'GET /api/v1/executions/:id/hold',
    'GET /api/v1/retention',
    'GET /api/v1/baseline',
    'GET /api/v1/buckets',
    'GET /api/v1/buckets/:endpointId/:bucket',
    'GET /api/v1/backfills',
    'GET /api/v1/backfills/:id',
    'GET /api/v1/endpoints',
    'GET /api/v1/findings',
    'GET /api/v1/endpoints/:id',
    'GET /api/v1/event-queues',
    'GET /api/v1/bucket-events',
    'GET /api/v1/rejects',
    'GET /api/v1/objects',
    'GET /api/v1/objects/summary',
    'GET /api/v1/queue',
    'GET /api/v1/queue/dead-letters',
    'GET /api/v1/queue/items',
    'GET /api/v1/objects/:id',
    'GET /api/v1/objects/:id/findings',
    'GET /api/v1/reports',
    'POST /api/v1/reports',
    'GET /api/v1/reports/:id',
    'GET /api/v1/reports/:id/json',
    'GET /api/v1/reports/:id/html',
    'GET /api/v1/reviews',
    'GET /api/v1/reviews/:id',
    'GET /api/v1/reviews/waiting',
    'POST /api/v1/reviews/:id/comment',
    'GET /api/v1/schedules',
    'GET /api/v1/schedules/times',
    'GET /api/v1/schedules/:name',
    'GET /api/v1/schedules/:name/firings',
    'GET /api/v1/triggers',
    'GET /api/v1/triggers/:name',
    'POST /api/v1/triggers/test',
  ],
  analyst: [
    'POST /api/v1/reviews/:id/claim',
    'POST /api/v1/reviews/:id/release',
    'POST /api/v1/reviews/:id/reassign',
    'POST /api/v1/reviews/:id/decide',
    'GET /api/v1/mailbox',
    'GET /api/v1/mailbox/:id',
  ],
  engineer: [
    'POST /api/workflow',
    'POST /api/workflow/:name',
    'POST /api/workflow/execute/:name/:version',
    'DELETE /api/workflow/:id',
    'PUT /api/workflow/:id/pause',
    'PUT /api/workflow/:id/resume',
    'POST /api/workflow/:id/retry',
    'POST /api/metadata/workflow',
    'PUT /api/metadata/workflow',
    'DELETE /api/metadata/workflow/:name/:version',
    'DELETE /api/metadata/taskdefs/:name',
    'POST /api/v1/baseline',
    'DELETE /api/v1/baseline/:fingerprint',
    'POST /api/v1/buckets',
    'PATCH /api/v1/buckets/:endpointId/:bucket',
    'DELETE /api/v1/buckets/:endpointId/:bucket',
    'POST /api/v1/buckets/:endpointId/:bucket/connect/plan',
    'POST /api/v1/buckets/:endpointId/:bucket/connect/apply',
    'POST /api/v1/buckets/:endpointId/:bucket/connect/template',
    'GET /api/v1/buckets/:endpointId/:bucket/policy',
    'POST /api/v1/doctor',
    'POST /api/v1/endpoints',
    'POST /api/v1/queue/dead-letters/redrive',
    'POST /api/v1/queue/items/:scanId/cancel',
    'POST /api/v1/queue/items/:scanId/requeue',
    'POST /api/v1/queue/pause',
    'POST /api/v1/queue/resume',
    'POST /api/v1/event-queues/:name/redrive',
    'GET /api/v1/rejects/:id',
    'POST /api/v1/rejects/replay',
    'POST /api/v1/rejects/:id/replay',
    'DELETE /api/v1/rejects/:id',
    'GET /api/v1/endpoints/:id/events-token',
    'PATCH /api/v1/endpoints/:id',
    'DELETE /api/v1/endpoints/:id',
    'POST /api/v1/scans',
    'POST /api/v1/backfills',
    'POST /api/v1/backfills/:id/start',
    'POST /api/v1/backfills/:id/pause',
    'POST /api/v1/backfills/:id/resume',
    'POST /api/v1/backfills/:id/cancel',
    'POST /api/v1/rescans',
    'POST /api/v1/reconciles',
    'POST /api/v1/schedules',
    'PUT /api/v1/schedules/:name',
    'DELETE /api/v1/schedules/:name',
    'POST /api/v1/schedules/:name/pause',
    'POST /api/v1/schedules/:name/resume',
    'POST /api/v1/schedules/:name/run',
    'POST /api/v1/triggers',
    'PUT /api/v1/triggers/:name',
    'DELETE /api/v1/triggers/:name',
    'POST /api/v1/triggers/:name/enable',
    'POST /api/v1/triggers/:name/disable',
    'POST /api/v1/triggers/apply',
    'POST /api/v1/triggers/release-file',
  ],
  'auditor, engineer': ['POST /api/v1/executions/:id/hold', 'DELETE /api/v1/executions/:id/hold'],
  'auditor, engineer, worker': ['GET /metrics'],
  'engineer, worker': [
    'GET /api/tasks/poll/:type',
    'GET /api/tasks/poll/batch/:type',
    'POST /api/tasks',
    'POST /api/tasks/update-v2',
    'POST /api/tasks/:workflowId/:reference/:status',
    'POST /api/tasks/:id/log',
    'POST /api/v1/tasks/:taskId',
    'POST /api/metadata/taskdefs',
    'PUT /api/metadata/taskdefs',
  ],
  admin: ['PUT /api/v1/retention'],
};

const SOURCES = fileURLToPath(new URL('../../src', import.meta.url));

/** A route that is Fastify's alone. */
const PLAIN_ROUTE =
  /\b(?:server|scope|fastify|instance)\.(get|put|post|patch|delete|route|all)\(\s*['`]([^'`]*)/g;

type Handler = (...args: unknown[]) => unknown;

/** The routes as the guard sees them. */
async function routes(): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' });
  for (const file of files.filter((name) => name.endsWith('.controller.ts'))) {
    const exported = (await import(join(SOURCES, file))) as Record<string, unknown>;
    for (const value of Object.values(exported)) {
      if (typeof value !== 'function' || !Reflect.hasMetadata(PATH_METADATA, value)) continue;
      const handlers = Object.getOwnPropertyDescriptors(value.prototype as object);
      for (const { value: handler } of Object.values(handlers) as { value?: Handler }[]) {
        if (handler === undefined || !Reflect.hasMetadata(METHOD_METADATA, handler)) continue;
        const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod];
        const paths = [Reflect.getMetadata(PATH_METADATA, handler) as string | string[]].flat();
        const base = Reflect.getMetadata(PATH_METADATA, value) as string;
        for (const path of paths) {
          const whole = `/${base}/${path}`.replace(/\/+/g, '/').replace(/(.)\/$/, '$1');
          (found[whoMay(value, handler)] ??= []).push(`${method} ${whole}`);
        }
      }
    }
  }
  for (const list of Object.values(found)) list.sort();
  return found;
}

function whoMay(controller: object, handler: Handler): string {
  const said = (key: string): unknown =>
    [handler, controller]
      .map((target): unknown => Reflect.getMetadata(key, target))
      .find((one) => one !== undefined);
  if (said(PUBLIC_ROUTE) === true) return 'everybody';
  const roles = said(ROUTE_ROLES) as AccessRole[] | undefined;
  return roles === undefined ? 'whoever is logged in' : [...roles].sort().join(', ');
}

test('every route may be called by those who are said here, and by nobody else', async () => {
  const found = await routes();
  const sorted = Object.fromEntries(Object.entries(TABLE).map(([who, list]) => [who, [...list].sort()]));
  expect(found).toEqual(sorted);
}, 60_000);

test('only stored values with their own token, the description of the API and the UI go past the guard', () => {
  const past = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
    // The embedded S3 endpoint is a server of its own, with its own signatures.
    .filter((name) => name.endsWith('.ts') && !name.startsWith('embedded'))
    .flatMap((name) =>
      [...readFileSync(join(SOURCES, name), 'utf8').matchAll(PLAIN_ROUTE)].map(
        ([, method, path]) => `${method} ${path}`,
      ),
    );
  expect(past.sort()).toEqual([
    'get ${EXTERNAL_PAYLOADS}/:token',
    'get /*',
    'get /openapi.json',
    'put ${EXTERNAL_PAYLOADS}/:token',
  ]);
});
