import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { eventually } from '../../support/eventually.js';

/** A server of others, run for the tests of one file on a loopback port of its own. */
export class ServerProcess {
  private output = '';

  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
  ) {
    const collect = (chunk: Buffer): void => {
      this.output = (this.output + chunk.toString()).slice(-20_000);
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
  }

  /** Resolves once its port takes connections. */
  static async start(
    command: string,
    args: readonly string[],
    options: { readonly port: number; readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
  ): Promise<ServerProcess> {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { PATH: process.env['PATH'] ?? '', HOME: options.cwd, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const server = new ServerProcess(child, options.port);
    const failed = once(child, 'error').then(([error]) => {
      throw error as Error;
    });
    const listens = eventually(() => server.hasEnded || isListening(options.port), {
      timeoutMs: 30_000,
      what: `${command} listens`,
    });
    await Promise.race([listens, failed]);
    failed.catch(() => undefined);
    if (server.hasEnded) throw new Error(`${command} ended at once:\n${server.output}`);
    return server;
  }

  /** Its last lines, for the message of a test that failed. */
  get printed(): string {
    return this.output;
  }

  async stop(): Promise<void> {
    if (this.hasEnded) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 5_000);
    await ended;
    clearTimeout(timer);
  }

  private get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const answer = (is: boolean) => {
      socket.destroy();
      resolve(is);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
  });
}
