import { execFile, execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import ts from 'typescript';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

const git = (...args: string[]): string =>
  execFileSync('git', ['-C', root, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();

/** The release before this code: its tag, or why none can be had from this clone. */
export type Previous = { readonly tag: string } | { readonly missing: string; readonly isFault: boolean };

/**
 * The newest version tag that this code comes after. A clone without history or without tags has none, which is a fault
 * only where the history is there and the tag should be.
 */
export function previousRelease(): Previous {
  try {
    if (git('rev-parse', '--is-shallow-repository') === 'true') {
      return { missing: 'this clone is shallow', isFault: false };
    }
  } catch {
    return { missing: 'this is no clone of the repository', isFault: false };
  }
  try {
    const isReleased = git('tag', '--points-at', 'HEAD', '--list', 'v*') !== '';
    return { tag: git('describe', '--tags', '--abbrev=0', '--match', 'v*', isReleased ? 'HEAD^' : 'HEAD') };
  } catch {
    const isFault = process.env['CI'] === 'true' && git('tag', '--list') !== '';
    return { missing: 'no version tag lies behind this commit; git fetch --tags brings them', isFault };
  }
}

/** A release in a folder of its own, built, with this checkout's packages. */
export class Release {
  private constructor(readonly directory: string) {}

  static async build(tag: string): Promise<Release> {
    const directory = mkdtempSync(join(tmpdir(), 'sallyport-release-'));
    const archive = join(directory, 'release.tar');
    git('archive', '--output', archive, tag);
    await run('tar', ['-xf', archive, '-C', directory]);
    rmSync(archive);
    symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
    compile(join(directory, 'src'), join(directory, 'dist'));
    return new Release(directory);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** File by file, without looking at types: they were checked when it was released. */
function compile(from: string, to: string): void {
  const { config } = ts.readConfigFile(join(from, '..', 'tsconfig.json'), (path) =>
    readFileSync(path, 'utf8'),
  ) as {
    config: { compilerOptions: object };
  };
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, from);
  for (const path of readdirSync(from, { recursive: true, encoding: 'utf8' })) {
    if (!/\.(ts|json)$/.test(path)) continue;
    const target = join(to, path.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    if (path.endsWith('.json')) {
      copyFileSync(join(from, path), target);
      continue;
    }
    const source = readFileSync(join(from, path), 'utf8');
    // One file alone does not show that its package is of modules.
    const compilerOptions = { ...options, module: ts.ModuleKind.ESNext, noEmit: false, sourceMap: false };
    writeFileSync(target, ts.transpileModule(source, { compilerOptions, fileName: path }).outputText);
  }
}
