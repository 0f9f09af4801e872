import type { AddressInfo } from 'node:net';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { run } from '../../src/cli/run.js';
import { headOf, httpApp } from '../intake/http-app.js';
import { awsMessage, intakeParts } from '../intake/intake-parts.js';

const parts = await intakeParts();
const { server } = await httpApp(parts, { head: () => Promise.resolve(headOf()) });
let url: string;
beforeAll(async () => {
  await server.listen({ host: '127.0.0.1', port: 0 });
  url = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
});
beforeEach(() => parts.test.truncate());

async function say(...args: string[]): Promise<{ lines: string[]; notes: string[] }> {
  const lines: string[] = [];
  const notes: string[] = [];
  const environment = { SALLYPORT_URL: url, SALLYPORT_API_KEY: 'id:of-this-test' };
  await run(['objects', ...args], environment, {
    out: (line) => void lines.push(line),
    note: (line) => void notes.push(line),
    style: { colour: false },
  });
  return { lines, notes };
}

describe('objects on the command line', () => {
  test('are listed by the time that is shown, also where one was uploaded long before it was seen', async () => {
    const uploadedAt = ['2026-11-23T11:59:00.000Z', '2019-01-01T00:00:00.000Z', '2026-11-20T00:00:00.000Z'];
    for (const [index, eventTime] of uploadedAt.entries()) {
      const message = awsMessage({ key: `k${index}`, versionId: `v${index}`, eventTime });
      await parts.intake.accept(message, { kind: 'webhook' });
      parts.clock.advance(60_000);
    }
    const shown: string[] = [];
    let cursor: string[] = [];
    do {
      const { lines, notes } = await say('list', '--limit', '1', ...cursor);
      shown.push(lines[1] ?? '');
      cursor = / (--cursor) (\S+)$/.exec(notes[0] ?? '')?.slice(1) ?? [];
    } while (cursor.length > 0);
    const times = shown.map((line) => line.split(/ {2,}/)[4] ?? '');
    expect(times.every((time) => /^2026-\d\d-\d\dT/.test(time))).toBe(true);
    expect(times).toEqual([...times].sort().toReversed());
    expect(shown.map((line) => line.slice(-2))).toEqual(['k2', 'k1', 'k0']);
    const whole = await say('list');
    expect(whole.lines[0]?.split(/ {2,}/)).toEqual(['ID', 'VERDICT', 'REASON', 'FINDINGS', 'SEEN', 'OBJECT']);
    expect(whole.lines.slice(1).map((line) => line.slice(-2))).toEqual(['k2', 'k1', 'k0']);
  });

  test('that a rule skipped are told when that was decided, not when they were scanned', async () => {
    await parts.test.query(
      `INSERT INTO trigger_rule (name, effect, position, prefix, event_kinds, workflow_name, priority, enabled)
       VALUES ('no_logs', 'deny', 1, 'logs/', '{created}', 'scan_upload', 50, true)`,
    );
    await parts.intake.accept(awsMessage({ key: 'logs/x', versionId: 'v' }), { kind: 'webhook' });
    const { lines } = await say('show', 's3://uploads/logs/x');
    const text = lines.join('\n');
    expect(text).toMatch(/verdict +skipped/);
    expect(text).toMatch(/decided at +2026-/);
    expect(text).not.toContain('scanned at');
  });

  test('are told with what was required, what was not looked at, and where they are now', async () => {
    await parts.intake.accept(awsMessage({ key: 'a.zip', versionId: 'v' }), { kind: 'webhook' });
    const [scan] = await parts.test.query<{ id: string }>('SELECT id FROM scan');
    const scanId = scan?.id ?? '';
    const spoken = {
      required: ['secrets', 'malware'] as const,
      engines: [{ name: 'secrets', version: '1' }],
      bytesScanned: 3,
      bytesTotal: 3,
      sha256: 'ab',
      workflowId: 'w',
    };
    await parts.ledger.recordVerdict(scanId, {
      ...spoken,
      verdict: 'encrypted',
      reason: 'encrypted_content',
      notCovered: Array.from({ length: 25 }, (_, n) => ({
        path: `m${n}`,
        reason: 'encrypted' as const,
        detail: 'no password fits',
      })),
    });
    const act = (action: 'quarantined' | 'deleted', performed: boolean, more: object) =>
      parts.ledger.recordAction(scanId, `${action} ${performed}`, {
        action,
        performed,
        at: parts.clock.now(),
        ...more,
      });
    await act('quarantined', true, { data: { quarantine: { bucket: 'kept', key: 'x/a.zip' } } });
    await act('deleted', false, { note: 'S3 refused it' });
    const text = (await say('show', 's3://uploads/a.zip')).lines.join('\n');
    expect(text).toMatch(/required +secrets, malware/);
    expect(text).toMatch(/action +deleted \(not done\): S3 refused it/);
    expect(text).toMatch(/moved at +\d{4}-/);
    expect(text).not.toContain('deleted at');
    expect(text).toMatch(/now at +s3:\/\/kept\/x\/a\.zip \(in quarantine\)/);
    expect(text).toContain('not looked at  m0  encrypted  no password fits');
    expect(text).toContain('5 more were not looked at');
    await act('deleted', true, {});
    await parts.ledger.recordVerdict(scanId, {
      ...spoken,
      required: ['secrets'],
      verdict: 'clean (secrets)',
      reason: '',
      notCovered: [{ path: '', reason: 'engine_missing' }],
    });
    const later = (await say('show', 's3://uploads/a.zip')).lines.join('\n');
    expect(later).not.toContain('now at');
    expect(later).not.toContain('not looked at');
  });
});
