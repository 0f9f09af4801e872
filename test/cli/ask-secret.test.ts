import { spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { compileSources } from '../support/compile-sources.js';
import { eventually } from '../support/eventually.js';

// Of util-linux: runs a command on a terminal of its own.
const SCRIPT = '/usr/bin/script';

describe.skipIf(!existsSync(SCRIPT))('a secret that is asked for at a terminal', () => {
  const { directory, entry } = compileSources(['src/cli/ask.ts'], 'src/cli/ask.ts');
  afterAll(() => rmSync(directory, { recursive: true }));

  it('is taken as it is typed, and not shown', async () => {
    const program = `import(${JSON.stringify(entry.href)}).then(async ({ askSecret }) => console.log("length", (await askSecret("Token: ")).length))`;
    const child = spawn(SCRIPT, ['-qec', `"${process.execPath}" -e '${program}'`, '/dev/null']);
    let shown = '';
    child.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()));
    const ended = new Promise((resolve) => child.on('close', resolve));
    await eventually(() => shown.includes('Token: '), { timeoutMs: 15_000, what: 'the question' });
    child.stdin.write('horse-battery\r');
    await eventually(() => shown.includes('length'), { timeoutMs: 15_000, what: 'the answer' });
    child.stdin.end();
    await ended;
    expect(shown).toMatch(/length.*13/);
    expect(shown).not.toContain('horse');
  }, 40_000);
});
