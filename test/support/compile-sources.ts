import { mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Compiles folders and files of the sources, named from the root, into a directory of its own, for programs of worker
 * threads: Node 20 does not read TypeScript, and a build that lies about may be older than the sources under test.
 * Remove `directory` in the end.
 */
export function compileSources(
  paths: readonly string[],
  entry: string,
): { readonly directory: string; readonly entry: URL } {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-compiled-'));
  for (const file of paths.flatMap(filesOf)) {
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
  return { directory, entry: pathToFileURL(join(directory, entry).replace(/\.ts$/, '.js')) };
}

function filesOf(path: string): string[] {
  const whole = join(root, path);
  if (path.endsWith('.ts')) return [whole];
  const names = readdirSync(whole, { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .map((name) => join(whole, name));
}
