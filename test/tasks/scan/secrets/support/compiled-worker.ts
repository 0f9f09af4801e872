import { mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('../../../../../', import.meta.url));
const secrets = join(root, 'src/tasks/scan/secrets');

/**
 * Compiles the worker's program and what it imports into a directory of its own: Node 20 does not read TypeScript,
 * and a build that lies about may be older than the sources under test. Remove `directory` in the end.
 */
export function compileWorker(): { directory: string; entry: URL } {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-secret-worker-'));
  const inside = readdirSync(secrets, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  for (const file of [join(root, 'src/errors.ts'), ...inside.map((name) => join(secrets, name))]) {
    const target = join(directory, relative(root, file)).replace(/\.ts$/, '.js');
    const { outputText } = ts.transpileModule(readFileSync(file, 'utf8'), {
      compilerOptions: {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2023,
        verbatimModuleSyntax: true,
      },
    });
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, outputText);
  }
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
  return { directory, entry: pathToFileURL(join(directory, 'src/tasks/scan/secrets/pool/worker-entry.js')) };
}
