import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What oxlint says of files at given paths under the project's own rules. */
function lint(folder: string): string {
  try {
    return execFileSync(join(root, 'node_modules/.bin/oxlint'), ['-f', 'unix'], {
      cwd: folder,
      encoding: 'utf8',
    });
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}

describe('the layer rules', () => {
  let folder: string;
  let said: string;

  const forbidden: [string, string][] = [
    ['src/engine/decider/a.ts', "import { readFileSync } from 'node:fs';"],
    ['src/engine/decider/b.ts', "import { x } from '../runtime/x.js';"],
    ['src/engine/runtime/c.ts', "import { x } from '../../reviews/x.js';"],
    ['src/reviews/rules/d.ts', "import { Injectable } from '@nestjs/common';"],
    ['src/verdicts/e.ts', "import { x } from '../intake/x.js';"],
    ['src/reviews/f.ts', "import { x } from '../tasks/x.js';"],
    ['src/tasks/g.ts', "import { S3Client as x } from '@aws-sdk/client-s3';"],
    ['src/reports/m.ts', "import { x } from '../reviews/reviews.service.js';"],
    ['src/cli/o.ts', "import { x } from '../engine/x.js';"],
    ['src/cli/v.ts', "import { x } from '../intake/listing/run.js';"],
    ['src/cli/commands/q.ts', "import { x } from '../../engine/x.js';"],
    ['src/cli/commands/r.ts', "import { x } from '../../config.js';"],
    ['src/intake/h.ts', "import { request as x } from 'undici';"],
  ];
  const allowed: [string, string][] = [
    ['src/s3/i.ts', "import { S3Client as x } from '@aws-sdk/client-s3';"],
    ['src/outbound/egress/j.ts', "import { request as x } from 'undici';"],
    ['src/reports/sections/n.ts', "import { x } from '../../reviews/rules/policy.js';"],
    ['src/cli/p.ts', "import { visible as x } from '../outbound/safe-text.js';"],
    ['src/cli/u.ts', "import { COUNT_WORDS as x } from '../intake/listing/run-answer.js';"],
    ['src/cli/commands/s.ts', "import { visible as x } from '../../outbound/safe-text.js';"],
    ['src/cli/commands/t.ts', "import { x } from '../client.js';"],
    ['src/intake/k.ts', "import { x } from '../verdicts/x.js';"],
    ['src/engine/decider/l.ts', "import { x } from '../model/x.js';"],
  ];

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-lint-'));
    copyFileSync(join(root, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
    for (const [path, line] of [...forbidden, ...allowed]) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      const name = /import \{ (?:\w+ as )?(\w+) \}/.exec(line)?.[1] ?? '';
      writeFileSync(join(folder, path), `${line}\nexport const used = ${name};\n`);
    }
    said = lint(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(forbidden)('refuse in %s: %s', (path) => {
    const lines = said.split('\n').filter((line) => line.startsWith(`${path}:`));
    expect(lines.join('\n')).toContain('is restricted');
  });

  it.each(allowed)('let %s have: %s', (path) => {
    expect(said.split('\n').filter((line) => line.startsWith(`${path}:`))).toEqual([]);
  });
});
