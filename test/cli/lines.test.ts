import { findingText } from '../../src/cli/findings.js';
import { describe, expect, test } from 'vitest';
import { taskLine, workflowLine, type TaskFacts } from '../../src/cli/lines.js';
import { settingsFrom } from '../../src/cli/settings.js';

const PLAIN = { colour: false };
const task: TaskFacts = {
  taskId: 't',
  referenceTaskName: 'charge',
  status: 'COMPLETED',
  seq: 1,
  retryCount: 1,
  iteration: 0,
  scheduledTime: new Date(2026, 0, 1, 9, 8, 7, 0).getTime(),
  startTime: new Date(2026, 0, 1, 9, 8, 7, 100).getTime(),
  updateTime: new Date(2026, 0, 1, 9, 8, 8, 0).getTime(),
  endTime: new Date(2026, 0, 1, 9, 8, 8, 350).getTime(),
};

describe('a line', () => {
  test('has time, step, status, attempt and duration', () => {
    expect(taskLine(task, PLAIN).split(/ {2,}/)).toEqual([
      '09:08:08.350',
      'charge',
      'COMPLETED',
      'attempt 2',
      '1.3 s',
    ]);
  });

  test('is coloured only where asked for', () => {
    expect(taskLine(task, { colour: true })).toContain('\u001b[32mCOMPLETED');
    expect(taskLine(task, PLAIN)).not.toContain('\u001b');
  });

  test('shows what a hostile name holds instead of doing it', () => {
    const hostile = '\u001b[2J\u202Egnp.exe\nCOMPLETED';
    const shown = taskLine(
      { ...task, referenceTaskName: hostile, workerId: hostile, reasonForIncompletion: hostile },
      PLAIN,
    );
    // oxlint-disable-next-line no-control-regex
    expect(shown).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
    expect(shown).toContain('\\u{1b}');
    const run = { workflowId: 'w', workflowName: hostile, status: hostile, createTime: 1, updateTime: 2 };
    // oxlint-disable-next-line no-control-regex
    expect(workflowLine(run, { colour: true })).not.toMatch(/[\u0000-\u001f\u202e]/);
  });
});

describe('the settings', () => {
  test('take the address and the key from the environment', () => {
    const settings = settingsFrom({ SALLYPORT_URL: 'https://s.example/', SALLYPORT_API_KEY: 'id:secret' });
    expect(settings).toMatchObject({
      url: 'https://s.example',
      authorization: 'Basic aWQ6c2VjcmV0',
      needsProof: false,
    });
  });

  test.each([
    [{ SALLYPORT_URL: 'nonsense' }, 'SALLYPORT_URL'],
    [{ SALLYPORT_URL: 'http://key:secret@h' }, 'SALLYPORT_URL'],
    [{ SALLYPORT_API_KEY: 'only-an-id' }, 'SALLYPORT_API_KEY'],
  ])('%j is refused by name', (env, name) => {
    expect(() => settingsFrom(env)).toThrow(name);
  });
});

describe('a finding on one line', () => {
  const finding = {
    severity: 'high',
    confidence: 'high',
    ruleId: 'some-token',
    title: 'Some token',
    path: 'a.txt',
    line: 3,
    excerpt: 'some…',
  };

  test('says how sure it is, and what is known of it besides', () => {
    expect(findingText(finding)).toBe('high  certain  some-token  Some token  a.txt:3  some…');
    expect(findingText({ ...finding, confidence: 'medium' })).toContain('  likely  ');
    expect(findingText({ ...finding, confidence: 'low' })).toContain('  possible  ');
    expect(findingText({ ...finding, accepted: true, acceptedReason: 'a sample' })).toContain(
      '[accepted: a sample]',
    );
    // As a review tells it.
    expect(findingText({ ...finding, accepted: 'a sample' })).toContain('[accepted: a sample]');
    expect(findingText({ ...finding, verified: 'active' })).toContain('[in use]');
    expect(findingText({ ...finding, accepted: false, verified: 'unknown' })).toBe(findingText(finding));
  });
});
