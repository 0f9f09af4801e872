import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('../..', import.meta.url));
const sources = join(root, 'bench', 'engine', 'programs');
// As deep below the root as the sources, so that relative paths hold; ignored by git.
const output = join(root, 'build', 'bench', 'programs');

/**
 * Compiles the programs that run in processes of their own: Node 20 reads no TypeScript. What they import of the
 * service is the build in `dist`, as it is shipped.
 */
export function compilePrograms(): (name: string) => string {
  rmSync(output, { recursive: true, force: true });
  mkdirSync(output, { recursive: true });
  for (const name of readdirSync(sources)) {
    const { outputText } = ts.transpileModule(readFileSync(join(sources, name), 'utf8'), {
      compilerOptions: {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2023,
        verbatimModuleSyntax: true,
        experimentalDecorators: true,
        emitDecoratorMetadata: true,
      },
    });
    writeFileSync(
      join(output, name.replace(/\.ts$/, '.js')),
      outputText.replaceAll(`'../../../src/`, `'../../../dist/`),
    );
  }
  return (name) => join(output, `${name}.js`);
}
