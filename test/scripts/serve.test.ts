import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { isRunning } from '../../src/embedded/postgres/process-identity.js';

const program = (name: string): string => fileURLToPath(new URL(`programs/${name}`, import.meta.url));

interface Launched {
  readonly launcher: ChildProcess;
  readonly printed: () => string;
  readonly servicePid: number;
  readonly ended: Promise<number | null>;
}

async function launch(stops: 'at once' | 'never'): Promise<Launched> {
  const launcher = spawn(process.execPath, [program('launcher.mjs'), program('service.mjs')], {
    env: { PATH: process.env['PATH'], SERVICE_STOPS: stops },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [launcher.stdout, launcher.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => launcher.once('exit', resolve));
  const servicePid = await vi.waitFor(() => {
    const pid = /^pid (\d+)$/m.exec(output)?.[1];
    if (pid === undefined) throw new Error(`not yet started: ${output}`);
    return Number(pid);
  }, 10_000);
  onTestFinished(() => {
    launcher.kill('SIGKILL');
    if (isRunning(servicePid)) process.kill(servicePid, 'SIGKILL');
  });
  return { launcher, printed: () => output, servicePid, ended };
}

const until = (condition: () => void): Promise<void> => vi.waitFor(condition, 5_000);

describe('npm start, once all is built', () => {
  test('tells the service what installing and building took', async () => {
    const { printed } = await launch('at once');
    expect(printed()).toContain('launch {"startedAt":1,"installSeconds":2,"buildSeconds":3}');
  });

  test.each(['SIGINT', 'SIGTERM'] as const)(
    'passes %s on and ends with the exit code of the service',
    async (signal) => {
      const { launcher, printed, ended } = await launch('at once');
      launcher.kill(signal);
      expect(await ended).toBe(7);
      expect(printed()).toContain(`told ${signal} 1`);
    },
  );

  test('takes one press of Ctrl-C that arrives twice, as npm makes it, for one', async () => {
    const { launcher, printed } = await launch('never');
    launcher.kill('SIGINT');
    await until(() => expect(printed()).toContain('told SIGINT 1'));
    launcher.kill('SIGINT');
    launcher.kill('SIGINT');
    expect(launcher.exitCode).toBeNull();
    expect(printed()).not.toContain('Ending at once');
  });

  test('ends a service that does not stop at the second Ctrl-C', async () => {
    const { launcher, printed, servicePid, ended } = await launch('never');
    launcher.kill('SIGINT');
    await until(() => expect(printed()).toContain('told SIGINT 1'));
    const presses = setInterval(() => launcher.kill('SIGINT'), 200);
    onTestFinished(() => clearInterval(presses));
    expect(await ended).toBe(137);
    expect(isRunning(servicePid)).toBe(false);
  });

  test('says that nothing is lost when the service is killed', async () => {
    const { printed, servicePid, ended } = await launch('never');
    process.kill(servicePid, 'SIGKILL');
    expect(await ended).toBe(137);
    expect(printed()).toContain('npm start goes on where it was');
  });

  test('leaves no service behind when it is killed itself', async () => {
    const { launcher, printed, servicePid } = await launch('at once');
    launcher.kill('SIGKILL');
    await until(() => expect(isRunning(servicePid)).toBe(false));
    // What it printed last may still be on its way.
    await until(() => expect(printed()).toContain('told SIGTERM 1'));
  });
});
