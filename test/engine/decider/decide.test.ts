import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { WorkflowDef } from '../../../src/engine/model/definition.js';
import { Run } from './fixtures.js';

const shipped = (name: string): WorkflowDef =>
  WorkflowDef.parse(
    JSON.parse(readFileSync(new URL(`../../../workflows/${name}.json`, import.meta.url), 'utf8')),
  );

describe('the shipped scan_upload workflow', () => {
  it('scans both ways at once, asks a person and releases the object', () => {
    const run = new Run(shipped('scan_upload'), { input: { scanId: 's1', bucket: 'uploads', key: 'a.zip' } });
    expect(run.open()).toEqual(['inspect']);
    run.complete('inspect', { outcome: 'present', object: { size: 7 } });
    expect(run.open()).toEqual(['secrets', 'malware', 'scanned']);
    expect(run.task('secrets').inputData).toEqual({ scanId: 's1', object: { size: 7 } });
    run.complete('malware', { report: { found: ['EICAR'] } });
    expect(run.open()).toEqual(['secrets', 'scanned']);
    run.complete('secrets', { report: { found: [] } });
    expect(run.task('scanned').outputData).toEqual({
      secrets: { report: { found: [] } },
      malware: { report: { found: ['EICAR'] } },
    });
    expect(run.open()).toEqual(['verdict']);
    run.complete('verdict', { route: 'review', verdict: 'infected', reason: 'EICAR' });
    run.complete('quarantine', { at: 'q/a.zip' });
    expect(run.open()).toEqual(['review']);
    expect(run.task('review')).toMatchObject({
      status: 'IN_PROGRESS',
      queued: true,
      taskType: 'HUMAN',
      inputData: { title: 'Release or delete uploads/a.zip?', outcomes: ['release', 'delete'] },
    });
    run.complete('review', { outcome: 'release' });
    run.complete('release', { object: { v: 2 } });
    run.complete('tag_released');
    run.complete('close');
    expect(run.workflow).toMatchObject({
      status: 'COMPLETED',
      output: { verdict: 'infected', reason: 'EICAR', decision: 'release' },
    });
  });

  it('skips the scans of an object that is gone', () => {
    const run = new Run(shipped('scan_upload'), { input: { scanId: 's1' } });
    run.complete('inspect', { outcome: 'gone' });
    expect(run.open()).toEqual(['verdict']);
    expect(run.task('verdict').inputData).toMatchObject({ secrets: null, malware: null });
  });
});
