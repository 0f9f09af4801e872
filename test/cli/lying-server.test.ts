import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cli } from '../../src/cli/cli.js';
import { CommandError } from '../../src/cli/command-error.js';
import { programOf } from '../../src/cli/program.js';
import { run } from '../../src/cli/run.js';

const SILENT = { out: () => undefined, note: () => undefined, style: { colour: false } };
const ID = '2b0c6a1e-7a0f-4c58-8d3c-0d0c5a3e9f11';

/** What has to be said beside the arguments. */
const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  'bucket add': ['--endpoint', 'e'],
  'bucket set': ['--priority', '1'],
  'endpoint set': ['--region', 'r'],
  'grants give': ['--user', 'u'],
  'queue pause': ['--bucket', 'b'],
  'queue resume': ['--bucket', 'b'],
  'queue redrive': ['--all'],
  'rejects replay': [ID],
  'slack set': ['--channel', 'C0X1'],
  'schedule add': ['--kind', 'k', '--cron', '* * * * *'],
  'schedule set': ['--cron', '* * * * *'],
  'trigger set': ['--effect', 'deny'],
};
// A file must be there and a value be one, or nobody is asked.
const VALUES: Readonly<Record<string, string>> = { FILE: 'package.json', TIME: '1h', JSON: '{}' };
const ARGUMENTS: Readonly<Record<string, string>> = { FILE: 'package.json', ROLE: 'approver' };
// One known finding: the file is read before the service is asked.
const directory = mkdtempSync(join(tmpdir(), 'sallyport-lying-'));
const KNOWN = join(directory, 'known.json');
const fingerprint = `hmac-sha256:fingerprint-1a:${'0'.repeat(64)}`;
writeFileSync(KNOWN, JSON.stringify({ items: [{ fingerprint, ruleId: 'r' }] }));
afterAll(() => rmSync(directory, { recursive: true }));

function leaves(command: Command): Command[] {
  const children = command.commands.flatMap(leaves);
  return command.registeredArguments.length > 0 || children.length === 0 ? [command, ...children] : children;
}

function nameOf(command: Command): string {
  const names: string[] = [];
  for (let one: Command | null = command; one?.parent != null; one = one.parent) names.unshift(one.name());
  return names.join(' ');
}

// They read files, and the database itself: no service is asked.
const ASK_NOBODY = ['report verify', 'backup', 'restore'];

const COMMANDS = leaves(programOf(new Cli({}, SILENT)))
  .filter((command) => command.name() !== 'help' && !ASK_NOBODY.includes(nameOf(command)))
  .map((command) => {
    const name = nameOf(command);
    const values = command.registeredArguments
      .filter(({ required }) => required)
      .map((argument) => {
        const wanted = argument.name();
        if (name === 'baseline import') return KNOWN;
        if (name === 'evidence export') return 'uploads';
        return ARGUMENTS[wanted] ?? (/S3.URL/.test(wanted) ? 's3://bucket/key' : ID);
      });
    const required = command.options
      .filter(({ mandatory }) => mandatory)
      .flatMap((option) => [
        option.long ?? '',
        // Where it writes nothing may be yet.
        option.long === '--output'
          ? join(directory, 'new')
          : (VALUES[/<(.+)>/.exec(option.flags)?.[1] ?? ''] ?? option.argChoices?.[0] ?? '1'),
      ]);
    return [...name.split(' '), ...values, ...required, ...(OPTIONS[name] ?? [])];
  });

describe('a server that is not Sallyport', () => {
  let answer: { status: number; type: string; body: string };
  let env: Record<string, string>;
  const server = createServer((_request, response) => {
    response.writeHead(answer.status, { 'content-type': answer.type }).end(answer.body);
  });
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    env = { SALLYPORT_URL: `http://127.0.0.1:${port}`, SALLYPORT_API_KEY: 'a:b' };
  });
  afterAll(() => server.close());

  test.each(COMMANDS.map((args) => [args.join(' '), args] as const))(
    '%s says so in one line',
    async (_name, args) => {
      for (const [status, type, body] of [
        [200, 'application/json', '{}'],
        [200, 'application/json', 'null'],
        [200, 'text/html', '<!doctype html>\n<title>Router</title>'],
        [200, 'text/plain', 'ok'],
        [204, 'application/json', ''],
        [401, 'application/json', '{"detail":"who are you?"}'],
        [404, 'text/html', '<h1>404</h1>'],
      ] as const) {
        answer = { status, type, body };
        const failed: unknown = await run(args, env, SILENT).catch((error: unknown) => error);
        expect(failed).toBeInstanceOf(CommandError);
        const { message } = failed as Error;
        expect(message).toContain(`${env['SALLYPORT_URL']} answered`);
        expect(message).toContain(String(status));
        expect(message).toContain('Is that Sallyport?');
        expect(message).not.toContain('\n');
      }
    },
  );

  test('the page of the UI is no answer, and the path is named', async () => {
    const page = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html', 'sallyport-api': 'v1' }).end('<!doctype html>');
    });
    await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(page.address() as AddressInfo).port}/ui`;
    for (const args of [['objects', 'list'], ['status'], ['workflow', 'follow', ID]]) {
      const failed: unknown = await run(args, { ...env, SALLYPORT_URL: url }, SILENT).catch(
        (error: unknown) => error,
      );
      expect(failed).toBeInstanceOf(CommandError);
      expect((failed as Error).message).toMatch(
        /^http\S+ answered what Sallyport does not .*Is that Sallyport\? Check SALLYPORT_URL: the path \/ui may be too much\.$/,
      );
    }
    page.close();
  });

  test('an answer without the fields of the service is said to be none', async () => {
    const empty = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'sallyport-api': 'v1' }).end('{}');
    });
    await new Promise<void>((resolve) => empty.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(empty.address() as AddressInfo).port}`;
    for (const args of [['status'], ['objects', 'list']]) {
      const failed: unknown = await run(args, { ...env, SALLYPORT_URL: url }, SILENT).catch(
        (error: unknown) => error,
      );
      expect(failed).toBeInstanceOf(CommandError);
      expect((failed as Error).message).toMatch(
        /answered what this command cannot read \(.+\)\. Is that Sallyport, of this version\? Check/,
      );
    }
    empty.close();
  });

  test.each(['http://:pw@127.0.0.1:1', 'http://user@127.0.0.1:1', 'http://user:pw@127.0.0.1:1'])(
    'an address with a key in it, %s, is refused',
    async (url) => {
      const refused = run(['status'], { ...env, SALLYPORT_URL: url }, SILENT);
      await expect(refused).rejects.toThrow(/^SALLYPORT_URL: ".*" cannot be used/);
    },
  );

  test('is asked by every command', () => {
    expect(COMMANDS.length).toBeGreaterThan(50);
  });
});
