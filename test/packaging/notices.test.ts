import { fileURLToPath } from 'node:url';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { BUNDLED, isAllowed, productionPackages } from '../../scripts/notices.mjs';

const root = new URL('../../', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, root), 'utf8');

const Bom = z.looseObject({
  bomFormat: z.literal('CycloneDX'),
  metadata: z.looseObject({ component: z.looseObject({ name: z.string(), version: z.string() }) }),
  components: z.array(
    z.looseObject({
      name: z.string(),
      version: z.string().optional(),
      licenses: z.array(z.unknown()).min(1).optional(),
    }),
  ),
});

describe('what a release is made of', () => {
  beforeAll(() => {
    execFileSync(process.execPath, [fileURLToPath(new URL('scripts/notices.mjs', root))], { stdio: 'pipe' });
  }, 60_000);

  test('every direct dependency is among the packages that are named', () => {
    const { dependencies } = z
      .looseObject({ dependencies: z.record(z.string(), z.string()) })
      .parse(JSON.parse(read('package.json')));
    const named = productionPackages().map(({ id }) => id.slice(0, id.lastIndexOf('@')));
    expect(Object.keys(dependencies).filter((name) => !named.includes(name))).toEqual([]);
    expect(named).not.toContain('vitest');
  });

  test('every production package is in the notices and in the SBOM', () => {
    const bom = Bom.parse(JSON.parse(read('build/sbom.cdx.json')));
    const listed = new Set(bom.components.map(({ name, version }) => `${name}@${version}`));
    const notices = read('build/THIRD_PARTY_NOTICES.md');
    const packages = productionPackages();
    expect(packages.length).toBeGreaterThan(100);
    expect(packages.filter(({ id }) => !listed.has(id))).toEqual([]);
    expect(packages.filter(({ id }) => !notices.includes(`${id} (`))).toEqual([]);
    expect(bom.metadata.component).toMatchObject({ name: 'sallyport' });
  });

  test('the libraries inside the packaged PostgreSQL are named too', () => {
    const bom = Bom.parse(JSON.parse(read('build/sbom.cdx.json')));
    const notices = read('build/THIRD_PARTY_NOTICES.md');
    for (const { name } of BUNDLED) {
      expect(
        bom.components.some((component) => component.name === name),
        name,
      ).toBe(true);
      expect(notices.includes(`- ${name}`), name).toBe(true);
    }
  });
});

describe('a licence', () => {
  test.each([
    'MIT',
    'Apache-2.0',
    '(MIT OR GPL-3.0-only)',
    'GPL-2.0-only OR (MIT AND ISC)',
    'MIT AND BSD-3-Clause',
  ])('is accepted when we may choose one that we know: %s', (expression) =>
    expect(isAllowed(expression)).toBe(true),
  );

  test.each([
    'GPL-3.0-only',
    'MIT AND AGPL-3.0-only',
    'none declared',
    'SEE LICENSE IN LICENSE',
    '',
    '(GPL-2.0-only OR SSPL-1.0)',
  ])('stops the build when nobody has looked at it: %j', (expression) =>
    expect(isAllowed(expression)).toBe(false),
  );
});
