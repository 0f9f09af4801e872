import { createReadStream, createWriteStream, rmSync, type WriteStream } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import {
  MalwareEngine,
  type MalwareResult,
  type MalwareScan,
  type MalwareSession,
} from '../../src/tasks/scan/malware/malware-engine.js';
import { eventually } from '../support/eventually.js';
import type { ServiceProcess } from '../support/service-process.js';

interface Story {
  readonly id: string;
  readonly verdict: string;
  readonly findings: readonly {
    readonly ruleId: string;
    readonly source: string;
    readonly confidence: string;
  }[];
  readonly verdicts: readonly {
    readonly notCovered: readonly { readonly reason: 'engine_error'; readonly detail?: string }[];
  }[];
}

/**
 * A scanner outside as one more malware engine: what it is shown is uploaded, and what the ledger then says that the scanner
 * said is its result. So it stands the suite that our own engines stand.
 */
export class OutsideEngine extends MalwareEngine {
  readonly name = 'outside';
  private count = 0;
  private readonly s3: S3Client;
  readonly held = new Set<string>();

  constructor(
    private readonly service: ServiceProcess,
    private readonly folder: string,
    private readonly prefix: string,
  ) {
    super();
    this.s3 = service.s3();
  }

  begin(signal: AbortSignal): Promise<MalwareSession> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    return Promise.resolve({
      engine: { name: this.name, version: '1', database: 'one signature' },
      gaps: [],
      open: () => this.open(),
      close: () => undefined,
    });
  }

  close(): void {
    this.s3.destroy();
  }

  private open(): MalwareScan {
    this.count += 1;
    const key = `${this.prefix}${this.count}.bin`;
    const path = join(this.folder, `${this.prefix.replaceAll('/', '-')}${this.count}`);
    this.held.add(path);
    const file = createWriteStream(path);
    let size = 0;
    const forget = () => {
      if (!this.held.delete(path)) return;
      file.destroy();
      rmSync(path, { force: true });
    };
    return {
      write: async (chunk) => {
        // The same memory may come again with other bytes.
        size += chunk.length;
        if (!file.write(Buffer.from(chunk))) await once(file, 'drain');
      },
      end: async () => {
        try {
          await ended(file);
          return await this.result(key, path, size);
        } finally {
          forget();
        }
      },
      abort: forget,
    };
  }

  private async result(key: string, path: string, size: number): Promise<MalwareResult> {
    const Body = size === 0 ? '' : createReadStream(path);
    await this.s3.send(new PutObjectCommand({ Bucket: 'uploads', Key: key, Body, ContentLength: size }));
    const story = await verdictOn(this.service, key);
    return {
      hits: story.findings
        .filter(({ source }) => source === 'outside')
        .map(({ ruleId, confidence }) => ({
          signature: ruleId,
          kind: confidence === 'high' ? 'infected' : 'suspicious',
        })),
      gaps: (story.verdicts[0]?.notCovered ?? [])
        .filter(({ detail }) => detail?.startsWith('outside') === true)
        .map(({ reason, detail }) => ({ reason, detail: detail ?? '' })),
    };
  }
}

/** What the ledger says of an upload, once it says something. */
export async function verdictOn<S extends { readonly id: string; readonly verdict: string } = Story>(
  service: ServiceProcess,
  key: string,
): Promise<S> {
  let id: string | undefined;
  await eventually(
    async () => {
      const { items } = await service.api<{ items: { id: string; verdict: string }[] }>(
        `/api/v1/objects?bucket=uploads&key=${encodeURIComponent(key)}`,
      );
      const [object] = items;
      if (object !== undefined && object.verdict !== 'pending') id = object.id;
      return id !== undefined;
    },
    { timeoutMs: 90_000, what: `a verdict on ${key}` },
  );
  return service.api<S>(`/api/v1/objects/${id ?? ''}`);
}

async function ended(file: WriteStream): Promise<void> {
  file.end();
  await once(file, 'close');
}
