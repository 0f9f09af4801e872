import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../test/support/eventually.js';
import { ServiceProcess } from '../test/support/service-process.js';
import { readOptions, report, SIZE_AND_SEED } from './proof.js';

/*
 * A storm: a hundred thousand upload events, one record a message as S3 sends them, as fast as they are taken. All of
 * them must be on disk at 2,000 a second, and worked off afterwards, in memory that does not grow.
 */

const SIZES = { small: 2_000, full: 100_000 } as const;
const MUST_PER_SECOND = 2_000;
const MUST_MEBIBYTES = 300;
const SMALL_PATIENCE = 1.15;
const CONNECTIONS = 256;
const LOOK_MS = 250;
const SETTLE_MS = 40 * 60_000;

/** For `--help`. */
export const help = SIZE_AND_SEED;

/**
 * @returns whether it held. A small run is too short to say how fast it is, and what it takes at most depends on when V8
 * happens to collect: it is held to the memory with some patience.
 */
export async function prove(args: readonly string[]): Promise<boolean> {
  const options = readOptions(args);
  const events = SIZES[options.size];
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-storm-'));
  chmodSync(folder, 0o711);
  const service = await ServiceProcess.on(join(folder, 'home'));
  const began = performance.now();
  try {
    await service.start();
    let most = 0;
    const looking = setInterval(() => (most = Math.max(most, residentMebibytes(service))), LOOK_MS);
    const acceptBegan = performance.now();
    await send(service, events, options.seed);
    const perSecond = events / ((performance.now() - acceptBegan) / 1000);
    process.stdout.write(`${events} events accepted at ${Math.round(perSecond)} a second\n`);
    const mostWhileAccepting = most;
    const { total } = await summary(service);
    const workBegan = performance.now();
    await eventually(
      async () => {
        const { counts } = await summary(service);
        return (counts['pending'] ?? 0) === 0;
      },
      { timeoutMs: SETTLE_MS, what: 'every event is worked off' },
    );
    clearInterval(looking);
    const figures = {
      events,
      acceptedPerSecond: Math.round(perSecond),
      ledgerRows: total,
      workedOffPerSecond: Math.round(events / ((performance.now() - workBegan) / 1000)),
      mostMebibytesWhileAccepting: Math.round(mostWhileAccepting),
      mostMebibytes: Math.round(most),
    };
    const isFast = options.size === 'small' || perSecond >= MUST_PER_SECOND;
    const isLean = most <= MUST_MEBIBYTES * (options.size === 'small' ? SMALL_PATIENCE : 1);
    const passed = total === events && isFast && isLean;
    report('storm', options, (performance.now() - began) / 1000, figures, passed);
    return passed;
  } finally {
    await service.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const summary = (service: ServiceProcess) =>
  service.api<{ total: number; counts: Record<string, number> }>('/api/v1/objects/summary');

/** Each event is one request on one of few connections; all of them must be answered with 200. */
async function send(service: ServiceProcess, count: number, seed: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const authorization = `Bearer ${service.credentials.eventsToken}`;
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < count) {
      const number = next;
      next += 1;
      await post(service.port, agent, authorization, messageOf(number, seed));
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, client));
  agent.destroy();
}

const messageOf = (number: number, seed: number): string =>
  JSON.stringify({
    Records: [
      {
        eventVersion: '2.1',
        eventSource: 'aws:s3',
        eventTime: new Date().toISOString(),
        eventName: 'ObjectCreated:Put',
        s3: {
          bucket: { name: 'uploads' },
          object: {
            key: `storm/${seed}/${number}.txt`,
            size: 10_240,
            eTag: 'd41d8cd98f00b204e9800998ecf8427e',
            versionId: `v${seed}-${number}`,
            sequencer: (0x1000000 + number).toString(16),
          },
        },
      },
    ],
  });

function post(port: number, agent: Agent, authorization: string, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        port,
        agent,
        host: '127.0.0.1',
        method: 'POST',
        path: '/events/s3',
        headers: {
          authorization,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        },
      },
      (answer) => {
        answer.resume();
        answer.on('end', () => {
          if (answer.statusCode === 200) resolve();
          else reject(new Error(`an event was answered with ${answer.statusCode}`));
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

function residentMebibytes(service: ServiceProcess): number {
  const status = readFileSync(`/proc/${service.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) / 1024;
}
