import { describe, expect, test } from 'vitest';
import { RuleError } from '../../../../../src/tasks/scan/secrets/errors.js';
import { loadRules } from '../../../../../src/tasks/scan/secrets/rules/load.js';
import { ruleIds, scanWith } from '../support/scan.js';

const load = (...files: string[]) => loadRules(files.map((toml, i) => ({ name: `file${i}.toml`, toml })));
const rule = (more: string): string => `[[rules]]\nid = "acme"\nregex = '''acme_[0-9]{4,12}'''\n${more}`;

describe('a rule file that cannot be used is refused, naming file, rule and field', () => {
  test.each<[string, string, string, string | undefined, string]>([
    ['text that is no TOML', 'rules = [', 'TOML', undefined, ''],
    ['a look-ahead', `[[rules]]\nid = "a"\nregex = '''(?=x)'''`, 'regex', 'a', 'look-around'],
    ['the ungreedy flag', `[[rules]]\nid = "a"\nregex = '''(?U)x'''`, 'regex', 'a', 'flag U'],
    ['neither regex nor path', '[[rules]]\nid = "a"', 'regex', 'a', 'regex or a path'],
    ['a group that is not there', rule('secretGroup = 1'), 'secretGroup', 'acme', 'only 0 groups'],
    ['an entropy above 8', rule('entropy = 9'), 'entropy', 'acme', '8'],
    ['a wrong type', rule('keywords = "x"'), 'keywords', 'acme', 'array'],
    ['an empty allowlist', rule('[rules.allowlist]\ndescription = "x"'), 'allowlists', 'acme', 'names no'],
    [
      'a wrong pattern in an allowlist',
      rule(`[[rules.allowlists]]\nregexes = ["a", "("]`),
      'allowlists.regexes.1',
      'acme',
      'never closed',
    ],
    ['a composite rule', rule('[[rules.required]]\nid = "x"'), 'required', 'acme', ''],
    [
      'a file to extend that nobody read',
      '[extend]\npath = "other.toml"',
      'extend.path',
      undefined,
      'not read',
    ],
    [
      'rules to fetch',
      '[extend]\nurl = "https://x.example/a.toml"',
      'extend.url',
      undefined,
      'not supported',
    ],
    ['a rule without an id', `[[rules]]\nregex = "x"`, 'id', '#1', ''],
    [
      'an allowlist for an unknown rule',
      '[[allowlists]]\ntargetRules = ["nope"]\nstopwords = ["x"]',
      'allowlists.targetRules',
      undefined,
      'no rule "nope"',
    ],
  ])('%s', (_, toml, field, ruleId, says) => {
    let caught: unknown;
    try {
      load(toml);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(RuleError);
    expect(caught).toMatchObject({ file: 'file0.toml', field, ruleId });
    expect(String(caught)).toContain(says);
  });
});

describe('files on top of each other', () => {
  test('a rule of the same id changes only what it names', () => {
    const { rules } = load(
      rule(`keywords = ["ACME"]\nentropy = 2.0`),
      '[[rules]]\nid = "acme"\nentropy = 3.5',
    );
    expect(rules).toHaveLength(1);
    expect(rules[0]).toMatchObject({ entropy: 3.5, keywords: ['acme'] });
    expect(rules[0]!.pattern).toBeDefined();
  });

  test('a later file switches rules of an earlier one off', () => {
    expect(load(rule(''), '[extend]\nuseDefault = true\ndisabledRules = ["acme"]').rules).toEqual([]);
  });

  test('keywords and allowlists of both files count, and a rule may gain a path', () => {
    const { rules } = load(
      rule(`keywords = ["acme"]\n[[rules.allowlists]]\nstopwords = ["12"]`),
      `[[rules]]\nid = "acme"\npath = "env$"\nkeywords = ["acme_"]\n[[rules.allowlists]]\nstopwords = ["56"]`,
    );
    expect(rules[0]!.keywords).toEqual(['acme', 'acme_']);
    expect(rules[0]!.path?.test('a.env')).toBe(true);
    expect(rules[0]!.allowlists.flatMap(({ stopwords }) => stopwords)).toEqual(['12', '56']);
  });

  test('of two rules of one id in a file the last counts, and that is noted', () => {
    const { rules, notes } = load(`${rule('entropy = 3')}\n${rule('keywords = ["acme"]')}`);
    expect(rules).toMatchObject([{ entropy: 0, keywords: ['acme'] }]);
    expect(notes).toEqual(['file0.toml: rule "acme": written twice, the last one counts.']);
  });

  test('keys count in any spelling of upper and lower case', () => {
    const toml = `[[Rules]]\nID = "a"\nRegex = "x(aa)?=([0-9]{4})"\nSecretgroup = 2\nKEYWORDS = ["x"]
      [[Rules.AllowLists]]\nregextarget = "line"\nStopWords = ["0000"]`;
    const loaded = load(toml);
    expect(loaded.rules[0]).toMatchObject({ id: 'a', secretGroup: 2, keywords: ['x'] });
    expect(loaded.rules[0]!.allowlists[0]).toMatchObject({ regexTarget: 'line', stopwords: ['0000'] });
  });

  test('the digest changes with any letter of any file', () => {
    const digests = [load(rule('')), load(rule(' ')), load(rule(''), '')].map(({ digest }) => digest);
    expect(new Set(digests).size).toBe(3);
    expect(load(rule('')).digest).toBe(digests[0]);
  });
});

describe('allowlists', () => {
  const text = 'first acme_1234 second acme_5678\n';

  test.each<[string, string, number]>([
    ['a regex on the secret', `regexes = ['''_12''']`, 1],
    ['a regex on the line', `regexTarget = "line"\nregexes = ['''^first''']`, 0],
    ['a stopword in any case', `stopwords = ["ACME_5"]`, 1],
    ['a path', `paths = ['''^config/''']`, 0],
    ['another path', `paths = ['''^other/''']`, 2],
    ['both of two conditions', `condition = "AND"\nregexes = ['''_12''']\npaths = ['''^config/''']`, 1],
    ['one of two conditions is not both', `condition = "AND"\nregexes = ['''_12''']\npaths = ['''^x/''']`, 2],
    ['a commit alone clears nothing', `commits = ["abc"]`, 2],
    ['a commit or a path', `commits = ["abc"]\npaths = ['''^config/''']`, 0],
    [
      'a commit and a path are never both met',
      `condition = "AND"\ncommits = ["abc"]\npaths = ['''^config/''']`,
      2,
    ],
    ['a stopword and a regex', `condition = "&&"\nregexes = ['''_12''']\nstopwords = ["acme"]`, 1],
    ['a regex on the match', `regexTarget = "match"\nregexes = ['''^acme_5''']`, 1],
  ])('%s', async (_, list, left) => {
    for (const place of ['[[rules.allowlists]]', '[rules.allowlist]']) {
      const result = await scanWith(rule(`keywords = ["acme"]\n${place}\n${list}`), text);
      expect(result.findings).toHaveLength(left);
    }
    expect((await scanWith(`${rule('')}\n[allowlist]\n${list}`, text)).findings).toHaveLength(left);
    const targeted = `${rule('')}\n[[allowlists]]\ntargetRules = ["acme"]\n${list}`;
    expect((await scanWith(targeted, text)).findings).toHaveLength(left);
  });

  test('a global one for certain rules leaves the others alone', async () => {
    const toml = `${rule('')}[[rules]]\nid = "other"\nregex = "acme_1[0-9]+"
      [[allowlists]]\ntargetRules = ["acme"]\nstopwords = ["1234"]`;
    expect(ruleIds(await scanWith(toml, text))).toEqual(['other', 'acme']);
  });

  test('commits are noted as ignored, with their file and place', () => {
    const toml = `${rule('[rules.allowlist]\ncommits = ["abc"]')}\n[allowlist]\ncommits = ["abc"]`;
    expect(load(toml).notes).toEqual([
      'file0.toml: allowlist: commits are ignored, an uploaded object has none.',
      'file0.toml: rule "acme": commits are ignored, an uploaded object has none.',
    ]);
    expect(load(rule('')).notes).toEqual([]);
  });

  test('the match that a regex is asked about begins with the name that stands before the keyword', async () => {
    const toml = `[[rules]]\nid = "a"\nregex = '''[\\w.-]{0,50}?(?:acme)=([0-9]+)'''\nkeywords = ["acme"]
      [[rules.allowlists]]\nregexTarget = "match"\nregexes = ['''^not_ours''']`;
    expect(ruleIds(await scanWith(toml, 'not_ours_acme=123\nours_acme=456\n'))).toEqual(['a']);
  });
});

describe('what a rule looks at', () => {
  test('the secret is the first group that took part, or the group that the rule names', async () => {
    const toml = (more: string): string =>
      `[[rules]]\nid = "a"\nregex = '''x(?:(aa)|(bb))=([0-9]{4})'''\nkeywords = ["x"]\n${more}`;
    expect((await scanWith(toml(''), 'xbb=1234')).findings[0]!.location).toMatchObject({
      byteOffset: 1,
      byteLength: 2,
    });
    const third = await scanWith(toml('secretGroup = 3'), 'xbb=1234');
    expect(third.findings[0]!.location).toMatchObject({ byteOffset: 4, byteLength: 4 });
    expect((await scanWith(toml('secretGroup = 1'), 'xbb=1234')).findings).toEqual([]);
  });

  test('a secret of too little entropy is no finding', async () => {
    const toml = rule('entropy = 2.8');
    expect(ruleIds(await scanWith(toml, 'acme_1111'))).toEqual([]);
    expect(ruleIds(await scanWith(toml, 'acme_1234'))).toEqual(['acme']);
  });

  test('a rule with a path looks only at objects of that path', async () => {
    const toml = rule(`path = '''\\.env$'''`);
    expect(ruleIds(await scanWith(toml, 'acme_1234', { path: 'a/b.env' }))).toEqual(['acme']);
    expect(ruleIds(await scanWith(toml, 'acme_1234', { path: 'a/b.txt' }))).toEqual([]);
  });

  test('a rule with nothing but a path finds the object itself', async () => {
    const result = await scanWith(`[[rules]]\nid = "store"\npath = '''(?i)\\.p12$'''`, '', {
      path: 'keys/Ü.P12',
    });
    expect(ruleIds(result)).toEqual(['store']);
  });

  test('a rule whose keyword is no part of its match needs the keyword near', async () => {
    const toml = `[[rules]]\nid = "a"\nregex = '''\\b[0-9]{12}\\b'''\nkeywords = ["airline"]`;
    expect(ruleIds(await scanWith(toml, 'ticket 123456789012'))).toEqual([]);
    expect(ruleIds(await scanWith(toml, 'airline\nticket 123456789012 and 210987654321'))).toEqual([
      'a',
      'a',
    ]);
  });

  test('a rule without keywords is always tried', async () => {
    expect(ruleIds(await scanWith(`[[rules]]\nid = "a"\nregex = '''[0-9]{12}'''`, 'x 123456789012'))).toEqual(
      ['a'],
    );
  });
});
