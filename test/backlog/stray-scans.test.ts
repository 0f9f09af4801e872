import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { Dispatcher } from '../../src/backlog/dispatcher.js';
import { StrayScans } from '../../src/backlog/stray-scans.js';
import { awsMessage, intakeParts } from '../intake/intake-parts.js';
import { FakeEngine } from './fake-engine.js';

const { intake, ledger, test, clock, bell, database } = await intakeParts();
const log = pino({ level: 'silent' });
const MINUTE = 60_000;

let engine: FakeEngine;
let strays: StrayScans;
let workflowId: string;

beforeEach(async () => {
  await test.truncate();
  engine = new FakeEngine();
  strays = new StrayScans({ database, engine, ledger, clock, log });
  await intake.accept(awsMessage({ versionId: 'v' }), { kind: 'webhook' });
  await new Dispatcher({ database, engine, clock, bell, log, maxRunning: 1 }).dispatch();
  workflowId = [...engine.started.keys()][0] ?? '';
});
const verdicts = () => test.query('SELECT verdict, reason FROM verdict');

describe('a scan whose workflow', () => {
  it('still runs is left alone, however long', async () => {
    clock.advance(600 * MINUTE);
    expect(await strays.sweep()).toBe(0);
    expect(await verdicts()).toEqual([]);
  });

  it('was terminated is ended after a while, and its place is free', async () => {
    clock.advance(10 * MINUTE);
    engine.ended.set(workflowId, { status: 'TERMINATED', endTime: clock.now() });
    expect(await strays.sweep()).toBe(0);
    clock.advance(6 * MINUTE);
    expect(await strays.sweep()).toBe(1);
    expect(await verdicts()).toEqual([{ verdict: 'failed', reason: 'workflow_terminated' }]);
    expect(await strays.sweep()).toBe(0);
    await intake.accept(awsMessage({ key: 'next', versionId: 'v' }), { kind: 'webhook' });
    expect(await new Dispatcher({ database, engine, clock, bell, log, maxRunning: 1 }).dispatch()).toBe(1);
  });

  it('is not known any more is ended', async () => {
    engine.started.clear();
    clock.advance(10 * MINUTE);
    expect(await strays.sweep()).toBe(1);
    expect(await verdicts()).toEqual([{ verdict: 'failed', reason: 'workflow_lost' }]);
  });

  it('waits for a person has its verdict and is left alone', async () => {
    const { scanId } = await ledger.scan(engine.started.get(workflowId)?.idempotencyKey ?? '');
    await ledger.recordVerdict(scanId, {
      verdict: 'infected',
      reason: 'malware_found',
      engines: [],
      bytesScanned: 1,
      bytesTotal: 1,
      notCovered: [],
      workflowId,
    });
    clock.advance(600 * MINUTE);
    expect(await strays.sweep()).toBe(0);
  });
});
