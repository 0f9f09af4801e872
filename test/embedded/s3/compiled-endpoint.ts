import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const SOURCES = fileURLToPath(new URL('../../../src/', import.meta.url));

/** A program that serves a directory until it is killed. Prints its port, then one line for each event's key. */
const PROGRAM = `
import { startS3Endpoint } from './embedded/s3/endpoint.js';
const [directory, accessKeyId, secretAccessKey] = process.argv.slice(2);
const onEvent = async ({ Records }) => {
  for (const record of Records) process.stdout.write('event ' + record.s3.object.key + '\\n');
};
const endpoint = await startS3Endpoint({ directory, accessKeyId, secretAccessKey, onEvent });
await endpoint.createBucket('uploads');
process.stdout.write('port ' + endpoint.port + '\\n');
`;

/**
 * Compiles the endpoint, which imports nothing but Node's own modules and `errors.ts`, into a folder, so that a
 * process of its own can run it and be killed. Returns the path of the program.
 */
export async function compileEndpoint(directory: string): Promise<string> {
  const folder = join('embedded', 's3');
  await mkdir(join(directory, folder), { recursive: true });
  const names = (await readdir(join(SOURCES, folder))).map((name) => join(folder, name));
  for (const name of ['errors.ts', ...names]) {
    const source = await readFile(join(SOURCES, name), 'utf8');
    const { outputText } = ts.transpileModule(source, {
      compilerOptions: {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2023,
        verbatimModuleSyntax: true,
      },
    });
    await writeFile(join(directory, name.replace(/\.ts$/, '.js')), outputText);
  }
  await writeFile(join(directory, 'package.json'), '{"type":"module"}');
  const program = join(directory, 'serve.js');
  await writeFile(program, PROGRAM);
  return program;
}
