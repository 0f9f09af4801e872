import { describe, expect, test } from 'vitest';
import type { Example, SecretRule } from '../../../../../src/tasks/scan/secrets/rules/rule.js';
import { createSecretScanner } from '../../../../../src/tasks/scan/secrets/secret-scanner.js';
import { expand } from '../support/examples.js';
import { builtIn, fingerprintKey, ruleIds, scan } from '../support/scan.js';

// A path that every rule which asks for one accepts is not to be had.
const paths: Readonly<Record<string, string>> = {
  'freemius-secret-key': 'wp/config.php',
  'hashicorp-tf-password': 'infra/main.tf',
  'kubernetes-secret-yaml': 'deploy/secret.yaml',
  'nuget-config-password': 'app/nuget.config',
};
const SEEDS = [1, 2, 3];

/** What an example is scanned as: a text, or for a rule without a pattern the name of an object. */
function scanned(rule: SecretRule, example: Example, seed: number): { text: string; path: string } {
  const text = expand(example, seed);
  return rule.pattern === undefined
    ? { text: '', path: text }
    : { text, path: paths[rule.id] ?? 'config/app.txt' };
}

function alone(rule: SecretRule): (text: string, path: string) => Promise<number> {
  const scanner = createSecretScanner(
    { ...builtIn, rules: [rule] },
    { fingerprintKey, fingerprintKeyId: 'k1' },
  );
  return async (text, path) => {
    const open = scanner.open({ path });
    await open.write(Buffer.from(text));
    return (await open.end()).findings.length;
  };
}

describe.each(builtIn.rules)('the built-in rule $id', (rule) => {
  test('finds its examples', async () => {
    expect(rule.examples.length).toBeGreaterThan(0);
    const find = alone(rule);
    for (const seed of SEEDS)
      for (const example of rule.examples) {
        const { text, path } = scanned(rule, example, seed);
        expect(await find(text, path), text).toBe(1);
        // A generic rule yields to the others.
        if (!rule.generic) expect(ruleIds(await scan(text, path)), text).toContain(rule.id);
      }
  });

  test('finds nothing in its counterexamples', async () => {
    expect(rule.counterexamples.length).toBeGreaterThan(0);
    const find = alone(rule);
    for (const seed of SEEDS)
      for (const example of rule.counterexamples) {
        const { text, path } = scanned(rule, example, seed);
        expect(await find(text, path), text).toBe(0);
      }
  });
});
