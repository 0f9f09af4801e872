import { createHash } from 'node:crypto';
import { parse } from 'smol-toml';
import { z } from 'zod';
import { RuleError, messageOf } from '../errors.js';
import { emitPattern } from '../regex/emit.js';
import { countCaptures, findAnchor } from '../regex/measure.js';
import { parsePattern } from '../regex/parse.js';
import type { Pattern } from '../regex/pattern.js';
import type { Allowlist, Confidence, SecretRule, SecretRuleSet } from './rule.js';
import { RulesFile, withKnownSpellings } from './schema.js';
import type { AllowlistFile, RuleFile } from './schema.js';

/** The text of one rule file. `name` stands in error messages. */
export interface RuleSource {
  readonly name: string;
  readonly toml: string;
  /** Built-in files may leave nothing out that we demand of ourselves: provider, severity, remediation, examples. */
  readonly builtIn?: boolean;
  /** The file that its `extend.path` names, already read: it comes before this one. */
  readonly base?: RuleSource;
}

/**
 * Reads rule files in gitleaks' TOML format, later ones on top of earlier ones.
 *
 * A rule with the id of an earlier one changes only what it names, as in gitleaks; `extend.disabledRules` removes
 * earlier rules. Throws RuleError with file, rule and field for anything that cannot be kept as written.
 */
export function loadRules(sources: readonly RuleSource[]): SecretRuleSet {
  const draft: Draft = { rules: new Map(), allowlists: [], notes: [] };
  const digest = createHash('sha256');
  for (const source of sources.flatMap(basesFirst)) {
    digest.update(`${Buffer.byteLength(source.toml)}:`).update(source.toml);
    addFile(source, draft);
  }
  const { rules, allowlists, notes } = draft;
  return { rules: [...rules.values()], allowlists, notes, digest: digest.digest('hex') };
}

/** What the files read so far amount to. */
interface Draft {
  readonly rules: Map<string, SecretRule>;
  readonly allowlists: Allowlist[];
  readonly notes: string[];
}

const basesFirst = (source: RuleSource): readonly RuleSource[] =>
  source.base === undefined ? [source] : [...basesFirst(source.base), source];

function addFile(source: RuleSource, { rules, allowlists: global, notes }: Draft): void {
  const file = readFile(source);
  if (file.extend?.path !== undefined && source.base === undefined)
    throw new RuleError(source.name, undefined, 'extend.path', `${file.extend.path} was not read`);
  notes.push(...notesOn(source.name, file));
  for (const id of file.extend?.disabledRules ?? []) rules.delete(id);
  const earlier = new Map(rules);
  const seen = new Set<string>();
  for (const rule of file.rules ?? []) {
    if (seen.has(rule.id)) {
      if (source.builtIn === true) throw new RuleError(source.name, rule.id, 'id', 'two rules have this id');
      notes.push(`${source.name}: rule "${rule.id}": written twice, the last one counts.`);
    }
    seen.add(rule.id);
    rules.set(rule.id, readRule(source, rule, earlier.get(rule.id)));
  }
  for (const list of [
    ...(file.allowlist === undefined ? [] : [file.allowlist]),
    ...(file.allowlists ?? []),
  ]) {
    const allowlist = readAllowlist(source.name, undefined, list);
    if (list.targetRules === undefined || list.targetRules.length === 0) {
      global.push(allowlist);
      continue;
    }
    for (const id of list.targetRules) {
      const rule = rules.get(id);
      if (rule === undefined)
        throw new RuleError(source.name, undefined, 'allowlists.targetRules', `no rule "${id}"`);
      rules.set(id, { ...rule, allowlists: [...rule.allowlists, allowlist] });
    }
  }
}

function readFile(source: RuleSource): RulesFile {
  let document: unknown;
  try {
    document = withKnownSpellings(parse(source.toml));
  } catch (error) {
    throw new RuleError(source.name, undefined, 'TOML', messageOf(error).trim(), { cause: error });
  }
  const checked = RulesFile.safeParse(document);
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0]!;
  const [list, index, ...rest] = issue.path.map(String);
  const ruleId = list === 'rules' && index !== undefined ? idAt(document, Number(index)) : undefined;
  const field = ruleId === undefined ? issue.path.join('.') : rest.join('.');
  throw new RuleError(source.name, ruleId, field, issue.message);
}

function idAt(document: unknown, index: number): string {
  const named = z.looseObject({ rules: z.array(z.looseObject({ id: z.unknown() })) }).safeParse(document);
  const id = named.data?.rules[index]?.id;
  return typeof id === 'string' ? id : `#${index + 1}`;
}

function readRule(source: RuleSource, file: RuleFile, base: SecretRule | undefined): SecretRule {
  const pattern =
    file.regex === undefined ? base?.pattern : readPattern(source.name, file.id, 'regex', file.regex);
  const path =
    file.path === undefined ? base?.path : compile(readPattern(source.name, file.id, 'path', file.path));
  if (pattern === undefined && path === undefined)
    throw new RuleError(source.name, file.id, 'regex', 'a rule needs a regex or a path');
  const secretGroup = file.secretGroup ?? base?.secretGroup ?? 0;
  const captures = pattern === undefined ? 0 : countCaptures(pattern);
  if (secretGroup > captures)
    throw new RuleError(source.name, file.id, 'secretGroup', `the regex has only ${captures} groups`);
  const own = [...(file.allowlist === undefined ? [] : [file.allowlist]), ...(file.allowlists ?? [])];
  if (source.builtIn === true) demandOwnKeys(source.name, file);
  return {
    id: file.id,
    description: file.description ?? base?.description ?? file.id,
    provider: file.provider ?? base?.provider ?? 'custom',
    severity: file.severity ?? base?.severity ?? 'high',
    confidence: file.confidence ?? base?.confidence ?? usualConfidence(pattern, file.id),
    remediation: file.remediation ?? base?.remediation ?? '',
    pattern,
    keywords: [
      ...new Set([...(base?.keywords ?? []), ...(file.keywords ?? []).map((word) => word.toLowerCase())]),
    ],
    entropy: file.entropy ?? base?.entropy ?? 0,
    secretGroup,
    path,
    allowlists: [
      ...(base?.allowlists ?? []),
      ...own.map((list) => readAllowlist(source.name, file.id, list)),
    ],
    checksum: file.checksum ?? base?.checksum,
    verify: file.verify ?? base?.verify,
    generic: file.generic ?? base?.generic ?? file.id.startsWith('generic-'),
    examples: file.examples ?? base?.examples ?? [],
    counterexamples: file.counterexamples ?? base?.counterexamples ?? [],
    builtIn: source.builtIn === true,
  };
}

function demandOwnKeys(file: string, rule: RuleFile): void {
  for (const key of [
    'provider',
    'severity',
    'remediation',
    'description',
    'examples',
    'counterexamples',
  ] as const)
    if (rule[key] === undefined) throw new RuleError(file, rule.id, key, 'a built-in rule must say it');
}

/** A user's pattern that begins with a literal names one format; the others look for a habit of writing. */
function usualConfidence(pattern: Pattern | undefined, id: string): Confidence {
  if (pattern === undefined || id.startsWith('generic-')) return 'medium';
  return findAnchor(pattern) === undefined ? 'medium' : 'high';
}

function readPattern(file: string, ruleId: string | undefined, field: string, source: string): Pattern {
  try {
    return parsePattern(source);
  } catch (error) {
    throw new RuleError(file, ruleId, field, messageOf(error), { cause: error });
  }
}

const compile = (pattern: Pattern): RegExp => new RegExp(emitPattern(pattern));

function readAllowlist(file: string, ruleId: string | undefined, list: AllowlistFile): Allowlist {
  const field = ruleId === undefined ? 'allowlist' : 'allowlists';
  const patterns = (key: 'regexes' | 'paths'): RegExp[] =>
    (list[key] ?? []).map((source, i) => compile(readPattern(file, ruleId, `${field}.${key}.${i}`, source)));
  const allowlist: Allowlist = {
    description: list.description ?? '',
    condition: list.condition === 'AND' || list.condition === '&&' ? 'AND' : 'OR',
    regexTarget: list.regexTarget === 'match' || list.regexTarget === 'line' ? list.regexTarget : 'secret',
    regexes: patterns('regexes'),
    paths: patterns('paths'),
    stopwords: (list.stopwords ?? []).map((word) => word.toLowerCase()),
  };
  const empty = allowlist.regexes.length + allowlist.paths.length + allowlist.stopwords.length === 0;
  const hasCommits = (list.commits ?? []).length > 0;
  if (empty && !hasCommits) throw new RuleError(file, ruleId, field, 'names no regexes, paths or stopwords');
  // An object has no commit, so what demands one of certain commits and more is never met.
  return hasCommits && allowlist.condition === 'AND' ? { ...allowlist, ...nothing } : allowlist;
}

const nothing = { regexes: [], paths: [], stopwords: [] } as const;

function notesOn(name: string, file: RulesFile): string[] {
  const asked = (lists: readonly AllowlistFile[] | undefined): boolean =>
    lists?.some(({ commits }) => (commits ?? []).length > 0) === true;
  const without = (place: string): string =>
    `${name}: ${place}: commits are ignored, an uploaded object has none.`;
  const own = (file.rules ?? [])
    .filter((rule) => asked(rule.allowlists) || asked(rule.allowlist && [rule.allowlist]))
    .map((rule) => without(`rule "${rule.id}"`));
  const isGlobal = asked(file.allowlists) || asked(file.allowlist && [file.allowlist]);
  return isGlobal ? [without('allowlist'), ...own] : own;
}
