import 'reflect-metadata';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  ACCESS_ROLES,
  PUBLIC_ROUTE,
  ROUTE_GRANTS,
  ROUTE_OWNER,
  ROUTE_ROLES,
  type AccessRole,
} from '../../src/access/principal.js';
import { REACHED, wholeApp, type WholeApp } from './whole-app.js';

/*
 * Every route of every controller, and who may call it (an admin may call each). A new route is missing here until
 * somebody has thought about that.
 */

const TABLE: Readonly<Record<string, readonly string[]>> = {
  // Each guards itself: by its own token, link, code or login.
  everybody: [
    'DELETE /api/v1/session',
    'GET /api/health',
    'GET /api/v1/content/:token',
    'GET /api/v1/home-proof',
    'GET /api/v1/session/oidc/callback',
    'GET /api/v1/session/oidc/start',
    'GET /api/v1/session/ways',
    'GET /api/v1/slack/link',
    'GET /health',
    'GET /health/live',
    'GET /health/ready',
    'GET /q/:token',
    'GET /q/v/:id',
    'GET /r/:token',
    'GET /r/v/:handle',
    'GET /u/:token',
    'POST /api/token',
    'POST /api/v1/session',
    'POST /api/v1/slack/link',
    'POST /events/s3',
    'POST /events/s3/:token',
    'POST /events/sns',
    'POST /q/v/:id',
    'POST /r/v/:handle',
    'POST /slack/commands',
    'POST /slack/events',
    'POST /slack/interactions',
    'POST /u/:token',
  ],
  // The places of stored values and the stream look at the roles themselves, by what is asked for.
  'whoever is logged in': [
    'DELETE /api/v1/slack/people/:team/:user',
    'GET /api/metadata/taskdefs',
    'GET /api/metadata/taskdefs/:name',
    'GET /api/metadata/workflow',
    'GET /api/metadata/workflow/:name',
    'GET /api/tasks/externalstoragelocation',
    'GET /api/tasks/queue/all',
    'GET /api/tasks/queue/sizes',
    'GET /api/v1/me/mail',
    'GET /api/v1/me/slack',
    'GET /api/v1/session',
    'GET /api/v1/stream',
    'GET /api/version',
    'GET /api/workflow/external-storage-location',
    'GET /api/workflow/externalstoragelocation',
    'POST /api/metadata/workflow/validate',
    'PUT /api/v1/me/mail',
  ],
  // One's own; that of others takes an admin.
  'admin, analyst, approver, auditor, author, operator, viewer, worker': ['PUT /api/v1/users/:id/password'],
  'analyst, approver, auditor, author, operator, viewer': [
    'GET /api/human/template',
    'GET /api/v1/process/figures',
    'GET /api/human/template/:name/:version',
    'GET /api/tasks/queue/polldata',
    'GET /api/tasks/queue/polldata/all',
    'GET /api/v1/backfills',
    'GET /api/v1/backfills/:id',
    'GET /api/v1/bucket-events',
    'GET /api/v1/buckets',
    'GET /api/v1/calendars',
    'GET /api/v1/calendars/:name',
    'GET /api/v1/buckets/:endpointId/:bucket',
    'GET /api/v1/endpoints',
    'GET /api/v1/endpoints/:id',
    'GET /api/v1/event-queues',
    'GET /api/v1/executions',
    'GET /api/v1/executions/:id/hold',
    'GET /api/v1/executions/:id/why',
    'GET /api/v1/objects',
    'GET /api/v1/objects/summary',
    'GET /api/v1/queue',
    'GET /api/v1/queue/dead-letters',
    'GET /api/v1/queue/items',
    'GET /api/v1/rejects',
    'GET /api/v1/restore',
    'GET /api/v1/retention',
    'GET /api/v1/schedules',
    'GET /api/v1/schedules/:name',
    'GET /api/v1/schedules/:name/firings',
    'GET /api/v1/schedules/times',
    'GET /api/v1/triggers',
    'GET /api/v1/triggers/:name',
    'POST /api/v1/triggers/test',
  ],
  'analyst, auditor, author, operator': [
    'GET /api/v1/baseline',
    'GET /api/v1/executions/:id',
    'GET /api/v1/findings',
    'GET /api/v1/objects/:id',
    'GET /api/v1/objects/:id/findings',
    'GET /api/v1/reports',
    'GET /api/v1/reports/:id',
    'GET /api/v1/reports/:id/:file',
    'GET /api/v1/uploader-identities',
    'GET /api/v1/uploader-identities/resolved',
    'GET /api/workflow/search',
    'POST /api/v1/reports',
  ],
  admin: [
    'DELETE /api/v1/api-keys/:id',
    'POST /api/v1/legal-holds/:id/lift',
    'DELETE /api/v1/groups/:id',
    'DELETE /api/v1/groups/:id/members/:userId',
    'DELETE /api/v1/groups/:id/owned',
    'DELETE /api/v1/uploader-identities/:id',
    'DELETE /api/v1/users/:id',
    'DELETE /api/v1/users/:id/identity',
    'PATCH /api/v1/groups/:id',
    'PATCH /api/v1/users/:id',
    'POST /api/v1/api-keys',
    'POST /api/v1/audit/erase',
    'POST /api/v1/groups',
    'POST /api/v1/uploader-identities',
    'POST /api/v1/users',
    'PUT /api/v1/groups/:id/members/:userId',
    'PUT /api/v1/groups/:id/owned',
    'PUT /api/v1/users/:id/identity',
    'PUT /api/v1/retention',
  ],
  analyst: ['GET /api/v1/mailbox', 'GET /api/v1/mailbox/:id'],
  'a grant of approver, analyst, approver': [
    'POST /api/human/tasks/:taskId/claim',
    'POST /api/human/tasks/:taskId/claim/:userId',
    'POST /api/human/tasks/:taskId/complete',
    'POST /api/human/tasks/:taskId/externalUser/:userId',
    'POST /api/human/tasks/:taskId/reassign',
    'POST /api/human/tasks/:taskId/release',
    'POST /api/human/tasks/:taskId/skip',
    'POST /api/human/tasks/:taskId/update',
    'POST /api/human/tasks/update/taskRef',
    'POST /api/v1/reviews/:id/ask',
    'POST /api/v1/reviews/:id/ask-uploader',
    'POST /api/v1/reviews/:id/claim',
    'POST /api/v1/reviews/:id/decide',
    'GET /api/v1/downloads/:token',
    'POST /api/v1/reviews/:id/delegate',
    'POST /api/v1/reviews/:id/downloads',
    'POST /api/v1/reviews/:id/downloads/:downloadId/grant',
    'POST /api/v1/reviews/:id/downloads/:downloadId/link',
    'POST /api/v1/reviews/:id/downloads/:downloadId/refuse',
    'POST /api/v1/reviews/:id/hold',
    'POST /api/v1/reviews/:id/postpone',
    'POST /api/v1/reviews/:id/reassign',
    'POST /api/v1/reviews/:id/release',
    'POST /api/v1/reviews/:id/resume',
    'POST /api/v1/reviews/:id/skip',
    'POST /api/v1/reviews/:id/withdraw',
    'POST /api/v1/reviews/bulk',
    'POST /api/v1/review-cases/:id/decide',
    'POST /api/v1/review-cases/:id/detach',
  ],
  'analyst, approver': ['DELETE /api/v1/absences/:id', 'POST /api/v1/absences'],
  'a grant of approver, analyst, approver, auditor, author, operator': [
    'GET /api/human/tasks/:taskId',
    'GET /api/human/tasks/getTaskDisplayNames',
    'GET /api/human/template/:taskId',
    'POST /api/human/tasks/search',
    'GET /api/v1/reviews',
    'GET /api/v1/reviews/:id',
    'GET /api/v1/reviews/:id/context',
    'GET /api/v1/reviews/:id/attachments',
    'GET /api/v1/reviews/:id/attachments/:attachmentId',
    'GET /api/v1/reviews/:id/downloads',
    'GET /api/v1/reviews/metrics',
    'GET /api/v1/reviews/metrics/history',
    'GET /api/v1/reviews/reviewers',
    'GET /api/v1/reviews/stream',
    'GET /api/v1/review-cases',
    'GET /api/v1/review-views',
    'DELETE /api/v1/reviews/:id/watch',
    'PUT /api/v1/reviews/:id/watch',
    'GET /api/v1/review-cases/:id',
  ],
  'analyst, approver, auditor, author, operator': [
    'GET /api/v1/absences',
    'GET /api/v1/exceptions',
    'GET /api/v1/exceptions/:id',
    'GET /api/v1/remedies',
    'GET /api/v1/remedies/:id',
    'GET /api/v1/remedies/figures',
    'GET /api/v1/reviews/waiting',
  ],
  'analyst, author': [
    'POST /api/v1/exceptions',
    'POST /api/v1/exceptions/:id/extend',
    'POST /api/v1/exceptions/:id/withdraw',
    'POST /api/v1/exceptions/preview',
    'POST /api/v1/objects/:id/release',
    'POST /api/v1/remedies',
  ],
  'a grant of approver, analyst, approver, author, operator': [
    'POST /api/v1/reviews/:id/answer',
    'DELETE /api/v1/review-views/:id',
    'POST /api/v1/review-views',
    'PUT /api/v1/review-views/:id',
    'POST /api/v1/reviews/:id/attachments',
    'POST /api/v1/reviews/:id/comment',
    'PUT /api/v1/reviews/:id/comments/:comment',
  ],
  'analyst, auditor, author, operator, worker': [
    'GET /api/tasks/:id',
    'GET /api/tasks/:id/log',
    'GET /api/workflow/:id',
    'GET /api/workflow/:id/status',
    'GET /api/workflow/:id/tasks',
  ],
  auditor: [
    'GET /api/v1/audit',
    'GET /api/v1/audit/extract',
    'GET /api/v1/evidence/:file',
    'GET /api/v1/evidence/decisions/sample',
    'GET /api/v1/reports/:id/bundle',
    'GET /api/v1/api-keys',
    'GET /api/v1/groups',
    'GET /api/v1/groups/:id',
    'GET /api/v1/groups/:id/owned',
    'GET /api/v1/users',
    'GET /api/v1/users/:id',
  ],
  'auditor, operator': [
    'GET /api/v1/audit/chain',
    'GET /api/v1/audit/verifier',
    'GET /api/v1/legal-holds',
    'POST /api/v1/audit/verify',
    'GET /api/v1/slack',
    'GET /api/v1/slack/channels',
    'GET /api/v1/slack/manifest',
    'GET /api/v1/slack/proposals',
    'GET /api/v1/mail/suspensions',
    'GET /api/v1/slack/people',
    'GET /api/v1/webhooks',
    'GET /api/v1/webhooks/:id',
    'GET /api/v1/webhooks/:id/deliveries',
  ],
  'a grant of owner, auditor': ['GET /api/v1/grants'],
  'a grant of owner, admin': ['DELETE /api/v1/grants/:id', 'POST /api/v1/grants'],
  'a grant of owner, author': [
    'DELETE /api/metadata/workflow/:name/:version',
    'DELETE /api/v1/triggers/:name',
    'POST /api/metadata/workflow',
    'POST /api/v1/triggers',
    'PUT /api/metadata/workflow',
    'PUT /api/v1/triggers/:name',
  ],
  'a grant of owner, author, operator': [
    'PATCH /api/v1/buckets/:endpointId/:bucket',
    'POST /api/v1/triggers/:name/disable',
    'POST /api/v1/triggers/:name/enable',
  ],
  'auditor, operator, worker': ['GET /metrics'],
  author: [
    'DELETE /api/human/template/:name',
    'DELETE /api/human/template/:name/:version',
    'DELETE /api/metadata/taskdefs/:name',
    'DELETE /api/v1/baseline/:fingerprint',
    'DELETE /api/v1/schedules/:name',
    'POST /api/human/template',
    'POST /api/human/template/bulk',
    'POST /api/v1/baseline',
    'POST /api/v1/schedules',
    'POST /api/v1/triggers/apply',
    'POST /api/v1/triggers/release-file',
    'PUT /api/v1/schedules/:name',
  ],
  'author, worker': ['POST /api/metadata/taskdefs', 'PUT /api/metadata/taskdefs'],
  operator: [
    'POST /api/v1/legal-holds',
    // Of its fields, tokens and secrets take an admin.
    'PUT /api/v1/slack',
    'DELETE /api/v1/slack/channels/:queue',
    'POST /api/v1/slack/join',
    'POST /api/v1/slack/probe',
    'POST /api/v1/slack/proposals',
    'PUT /api/v1/slack/channels/:queue',
    'DELETE /api/v1/mail/suspensions/:email',
    'DELETE /api/v1/calendars/:name',
    'DELETE /api/v1/calendars/:name/groups/:group',
    'PUT /api/v1/calendars/:name',
    'PUT /api/v1/calendars/:name/groups/:group',
    'DELETE /api/human/tasks/delete',
    'DELETE /api/human/tasks/delete/:taskId',
    'DELETE /api/v1/buckets/:endpointId/:bucket',
    'DELETE /api/v1/endpoints/:id',
    'DELETE /api/v1/executions/:id/hold',
    'DELETE /api/v1/rejects/:id',
    'DELETE /api/v1/webhooks/:id',
    'DELETE /api/workflow/:id',
    'GET /api/v1/buckets/:endpointId/:bucket/policy',
    'GET /api/v1/endpoints/:id/events-token',
    'GET /api/v1/rejects/:id',
    'PATCH /api/v1/endpoints/:id',
    'PATCH /api/v1/webhooks/:id',
    'POST /api/v1/backfills',
    'POST /api/v1/backfills/:id/cancel',
    'POST /api/v1/backfills/:id/pause',
    'POST /api/v1/backfills/:id/resume',
    'POST /api/v1/backfills/:id/start',
    'POST /api/v1/buckets',
    'POST /api/v1/buckets/:endpointId/:bucket/connect/apply',
    'POST /api/v1/buckets/:endpointId/:bucket/connect/plan',
    'POST /api/v1/buckets/:endpointId/:bucket/connect/template',
    'POST /api/v1/doctor',
    'POST /api/v1/endpoints',
    'POST /api/v1/event-queues/:name/redrive',
    'POST /api/v1/executions/:id/hold',
    'POST /api/v1/queue/dead-letters/redrive',
    'POST /api/v1/restore/reconcile',
    'POST /api/v1/restore/release',
    'POST /api/v1/queue/items/:scanId/cancel',
    'POST /api/v1/queue/items/:scanId/requeue',
    'POST /api/v1/queue/pause',
    'POST /api/v1/queue/resume',
    'POST /api/v1/reconciles',
    'POST /api/v1/rejects/:id/replay',
    'POST /api/v1/rejects/replay',
    'POST /api/v1/rescans',
    'POST /api/v1/scans',
    'POST /api/v1/schedules/:name/pause',
    'POST /api/v1/schedules/:name/resume',
    'POST /api/v1/schedules/:name/run',
    'POST /api/v1/webhooks',
    'POST /api/v1/webhooks/:id/deliveries/:deliveryId/replay',
    'POST /api/v1/webhooks/:id/replay-failed',
    'POST /api/v1/webhooks/:id/rotate-secret',
    'POST /api/v1/webhooks/:id/test',
    'POST /api/workflow',
    'POST /api/workflow/:id/retry',
    'POST /api/workflow/:name',
    'POST /api/workflow/execute/:name/:version',
    'PUT /api/workflow/:id/pause',
    'PUT /api/workflow/:id/resume',
  ],
  'operator, worker': [
    'GET /api/tasks/poll/:type',
    'GET /api/tasks/poll/batch/:type',
    'POST /api/tasks',
    'POST /api/tasks/:id/log',
    'POST /api/tasks/:workflowId/:reference/:status',
    'POST /api/tasks/update-v2',
    'POST /api/v1/tasks/:taskId',
  ],
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
  if (roles === undefined) return 'whoever is logged in';
  const grant = said(ROUTE_GRANTS) as string | undefined;
  const isOwners = said(ROUTE_OWNER) !== undefined;
  return [
    ...roles,
    ...(grant === undefined ? [] : [`a grant of ${grant}`]),
    ...(isOwners ? ['a grant of owner'] : []),
  ]
    .sort()
    .join(', ');
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

describe('on the running service', () => {
  let it: WholeApp;
  const keys = new Map<AccessRole, string>();

  beforeAll(async () => {
    it = await wholeApp();
    for (const role of ACCESS_ROLES) keys.set(role, await it.key(role, role));
    keys.set('admin', await it.key('an-admin', 'admin'));
  }, 120_000);
  afterAll(() => it.close());

  test('no route is there that the table does not name', () => {
    const past = ['GET /*', 'GET /openapi.json', 'GET /assets/*'];
    const tokens = ['GET /api/external/postgres/:token', 'PUT /api/external/postgres/:token'];
    const said = new Set([...Object.values(TABLE).flat(), ...past, ...tokens]);
    expect(it.routes.filter((route) => !said.has(route))).toEqual([]);
    const served = new Set(it.routes);
    expect(
      Object.values(TABLE)
        .flat()
        .filter((route) => !served.has(route)),
    ).toEqual([]);
  });

  const rows = Object.entries(TABLE).flatMap(([who, list]) => list.map((route) => ({ who, route })));

  test('each route lets in whom the table says, and stops everybody else', async () => {
    const wrong: string[] = [];
    for (const { who, route } of rows) {
      if (who === 'everybody') continue;
      const allowed = new Set(who === 'whoever is logged in' ? ACCESS_ROLES : [...who.split(', '), 'admin']);
      const anonymous = await it.ask(route);
      if (anonymous.status !== 401) wrong.push(`${route}: ${anonymous.status} for nobody`);
      for (const [role, key] of keys) {
        const { status, text } = await it.ask(route, key);
        const reached = status === 404 && text.includes(REACHED);
        const fits = allowed.has(role) ? reached : status === 403;
        if (!fits) wrong.push(`${route}: ${status} for ${role}`);
      }
    }
    expect(wrong).toEqual([]);
  }, 180_000);

  test('an owner is let in to what its group owns, where the table says so, and to nothing of others', async () => {
    const { mine, theirs } = await it.owners();
    const wrong: string[] = [];
    for (const { who, route } of rows) {
      if (who === 'everybody' || who === 'whoever is logged in') continue;
      const isOwners = who.split(', ').includes('a grant of owner');
      for (const [owner, key] of [
        ['mine', mine],
        ['theirs', theirs],
      ] as const) {
        const { status, text } = await it.askAboutMine(route, key);
        const isLetIn = status === 404 && text.includes(REACHED);
        if (isOwners && owner === 'mine' ? !isLetIn : status !== 403)
          wrong.push(`${route}: ${status} for ${owner}`);
      }
    }
    expect(wrong).toEqual([]);
  }, 120_000);

  test('what is open to everybody asks for no login', async () => {
    const open = rows.filter(({ who }) => who === 'everybody');
    for (const { route } of open) {
      const { status, text } = await it.ask(route);
      expect([route, status, text.includes(REACHED)]).toEqual([route, 404, true]);
    }
  });
});
