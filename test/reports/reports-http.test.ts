import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { readConfig } from '../../src/config.js';
import { Engine } from '../../src/engine/ports.js';
import { ReportsController } from '../../src/reports/reports.controller.js';
import { ReportsService } from '../../src/reports/reports.service.js';
import { writeFile } from '../../src/reports/report-files.js';
import { headOf, httpApp } from '../intake/http-app.js';
import { intakeParts } from '../intake/intake-parts.js';

const parts = await intakeParts();
const { database, clock } = parts;
// Nothing is started here: files are only handed out.
const reports = new ReportsService(readConfig({ ORG_NAME: 'Example' }), database, {} as Engine, clock);
const { server } = await httpApp(
  parts,
  { head: () => Promise.resolve(headOf()) },
  { controllers: [ReportsController], providers: [{ provide: ReportsService, useValue: reports }] },
);
const taken = () =>
  database.query(`SELECT actor, subject, data FROM audit_event WHERE action = 'report.downloaded'`);

it('hands a bundle out whole, and says in the audit record who took it; of what is not there nothing', async () => {
  await parts.test.truncate();
  const id = randomUUID();
  await database.query(
    `INSERT INTO report (id, kind, label, period_from, period_to, scheduled, requested_by, workflow_id, created_at, status)
     VALUES ($1::uuid, 'weekly', '2026-W10', 0, 1, false, 'user:x', $1::uuid::text, 0, 'ready')`,
    [id],
  );
  const get = (path: string) => server.inject({ url: `/api/v1/reports/${path}` });
  expect((await get(`${id}/bundle`)).statusCode).toBe(404);
  expect(await taken()).toEqual([]);

  const zip = { name: 'bundle.zip', mediaType: 'application/zip' };
  const sha256 = await database.transaction(async (tx) => {
    await writeFile(tx, id, { name: 'report.json', mediaType: 'application/json' }, ['{}']);
    return (await writeFile(tx, id, zip, [Buffer.alloc(2_000_000, 7)])).sha256;
  });
  const bundle = await get(`${id}/bundle`);
  expect(bundle.rawPayload.equals(Buffer.alloc(2_000_000, 7))).toBe(true);
  expect(bundle.headers).toMatchObject({
    'content-type': 'application/zip',
    'content-disposition': 'attachment; filename="audit-report-2026-W10.zip"',
  });
  const one = { actor: 'user:alice', subject: `report:${id}`, data: { file: 'bundle.zip', sha256 } };
  expect(await taken()).toEqual([one]);

  expect((await get(`${id}/json`)).body).toBe('{}');
  expect((await get(`${id}/zip`)).body).toContain('file: must be one of json, html, pdf, bundle');
  expect(await taken()).toEqual([one]);
});
