import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { S3Client } from '@aws-sdk/client-s3';
import { nodeFlags } from '../../scripts/launch/node-flags.mjs';
import { eventually } from './eventually.js';
import { freePort } from './free-port.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Credentials {
  readonly admin: { readonly name: string; readonly password: string };
  readonly apiKey: { readonly keyId: string; readonly keySecret: string };
  readonly s3: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly eventsToken: string;
}

/** The built service as a process of its own, on a home that outlives it: for what only a real process can show. */
export class ServiceProcess {
  private child: ChildProcess | undefined;
  private output = '';

  private constructor(
    readonly home: string,
    readonly port: number,
    readonly s3Port: number,
    private readonly environment: Readonly<Record<string, string>>,
    private readonly checkout: string,
  ) {}

  /** Where it is to listen is given; nothing runs yet. */
  static at(
    home: string,
    ports: { readonly port: number; readonly s3Port: number },
    environment: Readonly<Record<string, string>> = {},
  ): ServiceProcess {
    return new ServiceProcess(home, ports.port, ports.s3Port, environment, root);
  }

  /** Reserves two ports; nothing runs yet. @param checkout holds the `dist` to run, this one's by default. */
  static async on(
    home: string,
    environment: Readonly<Record<string, string>> = {},
    checkout: string = root,
  ): Promise<ServiceProcess> {
    return new ServiceProcess(home, await freePort(), await freePort(), environment, checkout);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** Everything that it printed since the last start. */
  get printed(): string {
    return this.output;
  }

  get credentials(): Credentials {
    return JSON.parse(readFileSync(join(this.home, 'credentials.json'), 'utf8')) as Credentials;
  }

  s3(): S3Client {
    return new S3Client({
      endpoint: `http://127.0.0.1:${this.s3Port}`,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: this.credentials.s3,
      maxAttempts: 1,
    });
  }

  /**
   * Starts `dist/main.js` and resolves once its banner is printed. @param preload a module that its Node loads first, and
   * that {@link tell} reaches. @returns milliseconds to the banner.
   */
  async start(preload?: string): Promise<number> {
    const began = performance.now();
    this.output = '';
    const flags = [...nodeFlags({}), ...(preload === undefined ? [] : ['--import', preload])];
    const child = spawn(process.execPath, [...flags, join(this.checkout, 'dist', 'main.js')], {
      env: {
        PATH: process.env['PATH'] ?? '',
        SALLYPORT_HOME: this.home,
        PORT: String(this.port),
        S3_PORT: String(this.s3Port),
        SEED_SAMPLES: 'false',
        CLAMD_DISCOVERY: 'off',
        LOG_FORMAT: 'json',
        LOG_LEVEL: 'warn',
        ...this.environment,
      },
      stdio: ['ignore', 'pipe', 'pipe', ...(preload === undefined ? [] : (['ipc'] as const))],
    });
    this.child = child;
    const collect = (chunk: Buffer): void => {
      // The end tells what went wrong; a flood must not fill the memory of the test.
      this.output = (this.output + chunk.toString()).slice(-200_000);
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
    await eventually(() => hasEnded() || this.output.includes('Sallyport is ready'), {
      timeoutMs: 60_000,
      what: 'the banner',
    }).catch((error: unknown) => {
      throw new Error(`The service did not start:\n${this.output}`, { cause: error });
    });
    if (hasEnded())
      throw new Error(`The service ended with ${child.exitCode ?? child.signalCode}:\n${this.output}`);
    return performance.now() - began;
  }

  /** Says something to the module that it was started with. */
  tell(message: Readonly<Record<string, number | string>>): void {
    this.child?.send(message);
  }

  /** `kill -9` of the service process alone; its PostgreSQL is left behind, as when the kernel kills it. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** SIGTERM, as Ctrl-C does. @returns milliseconds until it was gone, and its exit code. */
  async stop(): Promise<{ milliseconds: number; code: number | null }> {
    const began = performance.now();
    const code = await this.end('SIGTERM');
    return { milliseconds: performance.now() - began, code };
  }

  /** Calls our own API with the first start's API key. Throws on a status of 400 or more. */
  async api<T>(path: string, init: { method?: string; body?: unknown } = {}): Promise<T> {
    const { keyId, keySecret } = this.credentials.apiKey;
    const response = await fetch(this.url + path, {
      method: init.method ?? 'GET',
      headers: {
        authorization: `Basic ${Buffer.from(`${keyId}:${keySecret}`).toString('base64')}`,
        'content-type': 'application/json',
      },
      ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
    });
    const text = await response.text();
    if (!response.ok)
      throw new Error(`${init.method ?? 'GET'} ${path}: ${response.status} ${text.slice(0, 500)}`);
    return (
      response.headers.get('content-type')?.includes('json') === true && text !== '' ? JSON.parse(text) : text
    ) as T;
  }

  /** All items of a paged list. */
  async all<T>(path: string): Promise<T[]> {
    const items: T[] = [];
    let cursor: string | undefined;
    do {
      const separator = path.includes('?') ? '&' : '?';
      const page = await this.api<{ items: T[]; nextCursor?: string | null }>(
        `${path}${separator}limit=200${cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
      );
      items.push(...page.items);
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    return items;
  }

  private async end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null)
      return child?.exitCode ?? null;
    const ended = once(child, 'exit') as Promise<[number | null]>;
    child.kill(signal);
    const [code] = await ended;
    return code;
  }
}
