import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CommandError } from '../../src/cli/command-error.js';
import { run } from '../../src/cli/run.js';

// Nothing listens there: what gets past the arguments fails with another sentence.
const NOWHERE = { SALLYPORT_URL: 'http://127.0.0.1:1', SALLYPORT_API_KEY: 'a:b' };

async function typed(...args: string[]): Promise<{ code: number; text: string }> {
  const lines: string[] = [];
  const output = {
    out: (line: string) => void lines.push(line),
    note: () => undefined,
    style: { colour: false },
  };
  return { code: await run(args, NOWHERE, output), text: lines.join('\n') };
}

describe('the arguments', () => {
  test.each([
    [['workflw', 'x'], /unknown command 'workflw' \(Did you mean workflow\?\) See: sallyport --help/],
    [['toString'], /unknown command 'toString'/],
    [['start'], /start: missing required argument 'NAME'. See: sallyport start --help/],
    [['show', ''], /show: ID is empty. See: sallyport show --help/],
    [['workflow', 'get', ' \t'], /get: ID is empty. See: sallyport workflow get --help/],
    [['terminate', ' ', '--reason', 'x'], /terminate: ID is empty/],
    [['workflow', 'list', '--name', ''], /list: the value of --name is empty/],
    [['show', 'a', 'b'], /show: too many arguments/],
    [['show', 'a', '--jsno'], /show: unknown option '--jsno' \(Did you mean --json\?\)/],
    [['workflow'], /workflow: say which of start, get, .* See: sallyport workflow --help/],
    [['workflow', 'strat'], /workflow: unknown command 'strat' \(Did you mean start\?\)/],
    [['start', 'x', '--input', '{a'], /--input: this is no JSON/],
    [['start', 'x', '--input', '[1]'], /must be a JSON object/],
    [['start', 'x', '--input', '@/nowhere/at/all'], /\/nowhere\/at\/all cannot be read/],
    [['start', 'x', '--input'], /--input <JSON>' argument missing/],
    [['start', 'x', '--version', 'new'], /--version: "new" cannot be used. Give a whole number from 1/],
    [['workflow', 'list', '--limit', '1e2'], /--limit: "1e2" cannot be used/],
  ])('%j are refused with a remedy', async (args, message) => {
    const failed: unknown = await typed(...args).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(CommandError);
    expect((failed as Error).message).toMatch(message);
  });

  test.each([[[]], [['help']], [['--help']], [['-h']]])(
    '%j say which commands there are',
    async (args: string[]) => {
      const { code, text } = await typed(...args);
      expect(code).toBe(0);
      expect(text).toMatch(/^Usage: sallyport/);
      expect(text).toMatch(/\n {2}workflow /);
      expect(text).toContain('SALLYPORT_API_KEY');
      // The first spellings work and are not advertised.
      expect(text).not.toMatch(/\n {2}start /);
    },
  );

  test('every command has a help that shows --json', async () => {
    const { text } = await typed('workflow', 'start', '--help');
    expect(text).toMatch(/^Usage: sallyport workflow start \[options\] <NAME>/);
    expect(text).toContain('--version <N>');
    expect(text).toContain('--json');
    expect((await typed('help', 'workflow')).text).toMatch(/\n {2}terminate /);
  });

  test('--version says the release', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(await typed('--version')).toEqual({ code: 0, text: version });
  });
});
