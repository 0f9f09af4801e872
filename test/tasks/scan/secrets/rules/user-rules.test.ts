import { describe, expect, test } from 'vitest';
import { RuleError } from '../../../../../src/tasks/scan/secrets/errors.js';
import { builtInRules } from '../../../../../src/tasks/scan/secrets/rules/built-in.js';
import { loadRules } from '../../../../../src/tasks/scan/secrets/rules/load.js';
import { readUserRules } from '../../../../../src/tasks/scan/secrets/rules/user-rules.js';

const folder = (files: Readonly<Record<string, string>>) => (path: string) => {
  const toml = files[path];
  if (toml === undefined) throw new Error(`no ${path}`);
  return toml;
};
const rule = (id: string): string => `[[rules]]\nid = "${id}"\nregex = "${id}_[0-9]+"\n`;

describe('a file that extends another', () => {
  const read = folder({
    '/etc/own.toml': `${rule('own')}[[rules]]\nid = "base"\nentropy = 2.5\n[extend]\npath = "team/base.toml"\ndisabledRules = ["old"]`,
    '/etc/team/base.toml': `${rule('base')}${rule('old')}[extend]\npath = "../all.toml"`,
    '/etc/all.toml': rule('everybody'),
  });

  test('comes after it, changes its rules and switches some off', () => {
    const { rules } = loadRules([readUserRules('/etc/own.toml', read)]);
    expect(rules.map(({ id }) => id)).toEqual(['everybody', 'base', 'own']);
    expect(rules.find(({ id }) => id === 'base')).toMatchObject({ entropy: 2.5 });
  });

  test('changes the digest with the text of what it extends', () => {
    const other = (path: string): string => `${read(path)}${path === '/etc/all.toml' ? ' ' : ''}`;
    const digests = [read, other].map((from) => loadRules([readUserRules('/etc/own.toml', from)]).digest);
    expect(digests[0]).not.toBe(digests[1]);
  });

  test('may switch built-in rules off, too', () => {
    const toml = '[extend]\nuseDefault = true\ndisabledRules = ["github-pat"]';
    const { rules } = loadRules([...builtInRules(), readUserRules('/a.toml', () => toml)]);
    expect(rules.length).toBeGreaterThan(200);
    expect(rules.map(({ id }) => id)).not.toContain('github-pat');
  });

  test.each<[string, Record<string, string>, string]>([
    ['is missing', { '/a.toml': '[extend]\npath = "b.toml"' }, 'cannot be read'],
    [
      'extends the first in turn',
      { '/a.toml': '[extend]\npath = "b.toml"', '/b.toml': '[extend]\npath = "a.toml"' },
      'in turn',
    ],
  ])('is refused when the other %s', (_, files, says) => {
    const reading = (): unknown => readUserRules('/a.toml', folder(files));
    expect(reading).toThrow(RuleError);
    expect(reading).toThrow(says);
  });
});
