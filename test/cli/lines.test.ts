import { describe, expect, test } from 'vitest';
import { parseArguments } from '../../src/cli/arguments.js';
import { CommandError } from '../../src/cli/command-error.js';
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

describe('the arguments', () => {
  test('start a workflow with its input', () => {
    expect(parseArguments(['start', 'scan', '--version', '2', '--input', '{"a":1}', '--follow'])).toEqual({
      kind: 'start',
      name: 'scan',
      version: 2,
      input: { a: 1 },
      follow: true,
    });
  });

  test.each([
    [['strat', 'x'], 'There is no command "strat"'],
    [['start'], 'start: the NAME of a workflow is missing'],
    [['show', ''], 'show: the ID of a workflow is missing or empty'],
    [['terminate', ' ', '--reason', 'x'], 'terminate: the ID of a workflow is missing or empty'],
    [['show', 'a', 'b'], 'show takes one ID'],
    [['show', 'a', '--jsno'], '--jsno'],
    [['start', 'x', '--input', '{a'], '--input: this is no JSON'],
    [['start', 'x', '--input', '[1]'], 'must be a JSON object'],
    [['start', 'x', '--input', '@/nowhere/at/all'], '/nowhere/at/all cannot be read'],
    [['start', 'x', '--version', 'new'], '--version: "new" is no version'],
    [['toString'], 'There is no command'],
  ])('%j is refused with a remedy', (args, message) => {
    expect(() => parseArguments(args)).toThrow(CommandError);
    expect(() => parseArguments(args)).toThrow(message);
  });
});

describe('the settings', () => {
  test('take the address and the key from the environment', () => {
    const settings = settingsFrom({ SALLYPORT_URL: 'https://s.example/', SALLYPORT_API_KEY: 'id:secret' });
    expect(settings).toEqual({ url: 'https://s.example', authorization: 'Basic aWQ6c2VjcmV0' });
  });

  test('give the key of this machine to nobody elsewhere', () => {
    const env = { SALLYPORT_HOME: '/nowhere', SALLYPORT_URL: 'https://s.example' };
    expect(settingsFrom(env).authorization).toBeUndefined();
  });

  test.each([
    [{ SALLYPORT_URL: 'nonsense' }, 'SALLYPORT_URL'],
    [{ SALLYPORT_URL: 'http://key:secret@h' }, 'SALLYPORT_URL'],
    [{ SALLYPORT_API_KEY: 'only-an-id' }, 'SALLYPORT_API_KEY'],
  ])('%j is refused by name', (env, name) => {
    expect(() => settingsFrom(env)).toThrow(name);
  });
});
