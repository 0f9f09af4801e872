import { readFileSync } from 'node:fs';
import type { SecretScanner } from '../src/tasks/scan/secrets/finding.js';
import { builtInRules } from '../src/tasks/scan/secrets/rules/built-in.js';
import { loadRules } from '../src/tasks/scan/secrets/rules/load.js';
import { createSecretScanner } from '../src/tasks/scan/secrets/secret-scanner.js';

/*
 * Labelled cases against the built-in rules, one JSON object a line: `{"rule", "label": "tp" | "fp", "text", "path"?}`.
 * Each text is scanned with its own rule and the global allowlists, so it tells whether that rule finds what it should
 * (tp) and nothing else (fp). The cases are none of ours and stay outside the repository.
 */

const NEEDED_RECALL = 0.99;
const LISTED_RULES = 40;

interface Case {
  readonly rule: string;
  readonly label: 'tp' | 'fp';
  readonly text: string;
  readonly path?: string;
}

interface Score {
  readonly rule: string;
  readonly known: boolean;
  positives: number;
  found: number;
  negatives: number;
  falsePositives: number;
}

/** For `--help`. */
export const help =
  '--file FILE  labelled cases, one JSON object {rule, label, text, path?} a line; path is what the text is called\n--misses     tell those that were missed';

/** @returns whether at least 99 % of the positives were found and nothing in the negatives. */
export async function prove(args: readonly string[]): Promise<boolean> {
  const file = valueOf(args, '--file');
  if (file === undefined)
    throw new Error('--file: name a file of labelled cases, one JSON object {rule, label, text} a line');
  const showMissed = args.includes('--misses');
  const cases = readFileSync(file, 'utf8').split('\n').filter(Boolean).map(readCase);
  const scanners = scannersByRule();
  const scores = new Map<string, Score>();
  for (const one of cases) {
    const scanner = scanners.get(one.rule);
    const score = scoreOf(scores, one.rule, scanner !== undefined);
    const found = scanner !== undefined && (await finds(scanner, one));
    if (one.label === 'tp') {
      score.positives++;
      if (found) score.found++;
    } else {
      score.negatives++;
      if (found) score.falsePositives++;
    }
    if (showMissed && found !== (one.label === 'tp'))
      say(`${one.label === 'tp' ? 'missed' : 'wrongly found'}\t${one.rule}\t${JSON.stringify(one.text)}`);
  }
  return summarise([...scores.values()], scanners.size);
}

function readCase(line: string, index: number): Case {
  const read = JSON.parse(line) as Partial<Case>;
  if (typeof read.rule !== 'string' || typeof read.text !== 'string' || !/^[tf]p$/.test(read.label ?? ''))
    throw new Error(`line ${index + 1} is no case: it needs rule, label (tp or fp) and text`);
  return read as Case;
}

function scannersByRule(): Map<string, SecretScanner> {
  const set = loadRules(builtInRules());
  const options = { fingerprintKey: Buffer.alloc(32, 1), fingerprintKeyId: 'proof' };
  return new Map(set.rules.map((rule) => [rule.id, createSecretScanner({ ...set, rules: [rule] }, options)]));
}

async function finds(scanner: SecretScanner, { text, path }: Case): Promise<boolean> {
  const scan = scanner.open({ path: path ?? 'case.txt' });
  await scan.write(Buffer.from(text));
  return (await scan.end()).findings.length > 0;
}

function scoreOf(scores: Map<string, Score>, rule: string, known: boolean): Score {
  const score = scores.get(rule) ?? {
    rule,
    known,
    positives: 0,
    found: 0,
    negatives: 0,
    falsePositives: 0,
  };
  scores.set(rule, score);
  return score;
}

function summarise(scores: readonly Score[], rules: number): boolean {
  const recall = ({ positives, found }: Score): number => (positives === 0 ? 1 : found / positives);
  const worstFirst = [...scores].sort(
    (a, b) => b.falsePositives - a.falsePositives || recall(a) - recall(b) || a.rule.localeCompare(b.rule),
  );
  const wrong = worstFirst.filter((score) => recall(score) < 1 || score.falsePositives > 0);
  say('rule                                          found      recall   false positives');
  for (const score of wrong.slice(0, LISTED_RULES))
    say(
      `${score.rule.padEnd(44)}  ${`${score.found}/${score.positives}`.padEnd(9)}  ${percent(recall(score)).padStart(7)}  ${score.falsePositives}/${score.negatives}${score.known ? '' : '  no such rule'}`,
    );
  if (wrong.length > LISTED_RULES) say(`and ${wrong.length - LISTED_RULES} more`);
  say(`${scores.length - wrong.length} of ${scores.length} rules without a fault`);
  const sum = (key: 'positives' | 'found' | 'negatives' | 'falsePositives'): number =>
    scores.reduce((total, score) => total + score[key], 0);
  const total = sum('positives') === 0 ? 0 : sum('found') / sum('positives');
  const passed = total >= NEEDED_RECALL && sum('falsePositives') === 0;
  say(
    `${rules} rules in all; found ${sum('found')} of ${sum('positives')} (${percent(total)}), false positives ${sum('falsePositives')} of ${sum('negatives')}: ${passed ? 'passed' : 'failed'}`,
  );
  return passed;
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

function valueOf(args: readonly string[], name: string): string | undefined {
  const at = args.indexOf(name);
  return at < 0 ? undefined : args[at + 1];
}
