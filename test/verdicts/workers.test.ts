import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.js';
import type { Task } from '../../src/engine/model/execution.js';
import type { JsonObject } from '../../src/engine/model/json.js';
import { TerminalError } from '../../src/engine/ports.js';
import type { BucketPolicy } from '../../src/s3/buckets.js';
import { CloseScanWorker } from '../../src/verdicts/workers/close-scan.worker.js';
import { RecordFailureWorker } from '../../src/verdicts/workers/record-failure.worker.js';
import { RecordVerdictWorker } from '../../src/verdicts/workers/record-verdict.worker.js';
import { awsMessage, intakeParts, TestBuckets } from '../intake/intake-parts.js';

const { intake, ledger, test, buckets } = await intakeParts();
const UNKNOWN = '00000000-0000-4000-8000-000000000000';
const worker = new RecordVerdictWorker(ledger, buckets, readConfig({}), pino({ level: 'silent' }));
const failing = new RecordFailureWorker(ledger);
const closing = new CloseScanWorker(ledger);

const task = (inputData: JsonObject): Task =>
  ({ taskId: 't', workflowInstanceId: 'w', inputData }) as unknown as Task;
const report = (kind: string, parts: JsonObject = {}): JsonObject => ({
  kind,
  engines: [{ name: kind, version: '1' }],
  bytesScanned: 3,
  bytesTotal: 3,
  members: 1,
  sha256: 'ab',
  notCovered: [],
  counts: { infected: 0, secrets: 0, suspicious: 0, lowConfidence: 0 },
  ...parts,
});
const present = { outcome: 'present', reason: '', object: { sizeBytes: 3 } };

let scanId: string;
beforeEach(async () => {
  await test.truncate();
  await intake.accept(awsMessage({ key: 'k', versionId: 'v', size: 3 }), { kind: 'webhook' });
  scanId = (await test.query<{ id: string }>('SELECT id FROM scan'))[0]?.id ?? '';
});
const verdicts = () =>
  test.query('SELECT verdict, reason, bytes_scanned::int, bytes_total::int, sha256 FROM verdict');

/** The same buckets, of which none requires an engine against malware. */
class SecretsOnly extends TestBuckets {
  override find(endpointId: string, bucket: string): BucketPolicy | undefined {
    const policy = super.find(endpointId, bucket);
    return policy && { ...policy, required: ['secrets'] };
  }
}

describe('record_verdict', () => {
  it('judges both reports, records, and says the way; again without effect', async () => {
    const input = { scanId, inspection: present, secrets: report('secrets'), malware: report('malware') };
    for (let turn = 0; turn < 2; turn += 1) {
      expect(await worker.execute(task(input))).toEqual({
        kind: 'completed',
        output: { verdict: 'clean', reason: '', route: 'tag', degraded: false },
      });
    }
    expect(await verdicts()).toEqual([
      { verdict: 'clean', reason: '', bytes_scanned: 3, bytes_total: 3, sha256: 'ab' },
    ]);
  });

  it('names what the bucket requires with the verdict', async () => {
    const malware = report('malware', { notCovered: [{ path: '', reason: 'engine_missing' }] });
    const input = { scanId, inspection: present, secrets: report('secrets'), malware };
    const secretsOnly = new SecretsOnly();
    const config = readConfig({});
    const lenient = new RecordVerdictWorker(ledger, secretsOnly, config, pino({ level: 'silent' }));
    const { output } = (await lenient.execute(task(input))) as { output: JsonObject };
    expect(output).toMatchObject({ verdict: 'clean (secrets)', degraded: false, route: 'tag' });
    await worker.execute(task(input));
    expect(await test.query('SELECT verdict, required FROM verdict ORDER BY id')).toEqual([
      { verdict: 'clean (secrets)', required: ['secrets'] },
      { verdict: 'incomplete', required: ['secrets', 'malware'] },
    ]);
  });

  it('forbids clean for a scanner outside that gave no report, and lets what ours found stand', async () => {
    const ours = { scanId, inspection: present, secrets: report('secrets') };
    const harmless = { ...ours, malware: report('malware') };
    const outputOf = async (input: JsonObject) =>
      ((await worker.execute(task(input))) as { output: JsonObject }).output;
    expect(await outputOf({ ...harmless, others: [null] })).toMatchObject({ verdict: 'incomplete' });
    const seen = report('malware', { engines: [{ name: 'acme: x', version: '1' }] });
    expect(await outputOf({ ...harmless, others: [seen] })).toMatchObject({ verdict: 'clean' });
    const infected = report('malware', {
      counts: { infected: 1, secrets: 0, suspicious: 0, lowConfidence: 0 },
    });
    expect(await outputOf({ ...ours, malware: infected, others: [null] })).toMatchObject({
      verdict: 'infected',
    });
    expect((await verdicts()).at(-1)).toMatchObject({ verdict: 'infected', bytes_scanned: 3 });
    expect(await outputOf({ ...harmless, others: [infected] })).toMatchObject({ verdict: 'infected' });
  });

  it('counts a byte only when every engine saw it', async () => {
    const short = report('malware', { bytesScanned: 1 });
    await worker.execute(task({ scanId, inspection: present, secrets: report('secrets'), malware: short }));
    expect(await verdicts()).toMatchObject([{ verdict: 'incomplete', bytes_scanned: 1, bytes_total: 3 }]);
  });

  it('without reports tells what inspect found', async () => {
    const inspection = { outcome: 'gone', reason: 'no_such_key', object: null };
    const outcome = await worker.execute(task({ scanId, inspection, secrets: null, malware: null }));
    expect(outcome).toMatchObject({ output: { verdict: 'gone', reason: 'no_such_key', route: 'none' } });
  });

  it('takes a reader’s gap in either place', async () => {
    const gap = { gap: 'superseded' };
    const input = { scanId, inspection: present, secrets: gap, malware: null, malwareGap: 'superseded' };
    expect(await worker.execute(task(input))).toMatchObject({ output: { verdict: 'superseded' } });
  });

  it.each([
    ['no scan', { scanId: undefined as never }],
    ['a scan that nobody knows', { scanId: UNKNOWN }],
    ['no inspection', { inspection: null }],
    ['a report that does not say what it covered', { malware: { kind: 'malware' } }],
    ['a report with text for a number', { malware: report('malware', { bytesScanned: '3' }) }],
    [
      'a report with a negative count',
      {
        malware: report('malware', { counts: { infected: -1, secrets: 0, suspicious: 0, lowConfidence: 0 } }),
      },
    ],
    ['a report that is text', { malware: 'clean' }],
  ])('given %s never says clean, and is not retried', async (_, wrong) => {
    const input = {
      scanId,
      inspection: present,
      secrets: report('secrets'),
      malware: report('malware'),
      ...wrong,
    };
    await expect(worker.execute(task(input as JsonObject))).rejects.toThrow(TerminalError);
    expect(await verdicts()).toEqual([]);
  });
});

describe('record_failure and close_scan', () => {
  it('say that it failed, why, and that it is over', async () => {
    await failing.execute(task({ scanId, failedWorkflowId: 'w1', reason: 'inspect: no answer' }));
    await closing.execute(task({ scanId }));
    await closing.execute(task({ scanId }));
    expect(await test.query('SELECT verdict, reason, detail, workflow_id FROM verdict')).toEqual([
      { verdict: 'failed', reason: 'workflow_failed', detail: 'inspect: no answer', workflow_id: 'w1' },
    ]);
    expect(await test.query('SELECT closed_at IS NOT NULL AS closed FROM scan')).toEqual([{ closed: true }]);
  });

  it('are not retried for scans that nobody knows', async () => {
    await expect(failing.execute(task({ scanId: UNKNOWN }))).rejects.toThrow(TerminalError);
    await expect(closing.execute(task({ scanId: UNKNOWN }))).rejects.toThrow(TerminalError);
    await expect(closing.execute(task({}))).rejects.toThrow(TerminalError);
  });
});
