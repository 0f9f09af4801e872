import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DeleteObjectCommand,
  GetBucketVersioningCommand,
  ListObjectVersionsCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe } from 'vitest';
import { readConfig } from '../../src/config.js';
import { CONFIGURED_ENDPOINT } from '../../src/s3/buckets.js';
import { Endpoints } from '../../src/s3/endpoints.js';
import { ObjectStorage } from '../../src/s3/object-storage.js';
import { ServiceProcess } from '../support/service-process.js';
import { describeFlow } from './flow.suite.js';
import { describeObjectStorage, type StorageUnderTest } from './object-storage.suite.js';
import { clamdAnswers, ownClamd } from './own-clamd.js';

/*
 * The same suites against a server that somebody names, a real S3 most of all: see docs/extending.md. Everything is
 * made below one prefix and removed afterwards; nothing of the bucket's settings is touched.
 */

const { env } = process;
const endpoint = env['SALLYPORT_INTEROP_S3_ENDPOINT'];
const bucket = env['SALLYPORT_INTEROP_S3_BUCKET'];
const region = env['SALLYPORT_INTEROP_S3_REGION'] ?? 'us-east-1';
const quarantine = env['SALLYPORT_INTEROP_S3_QUARANTINE_BUCKET'];
const isPathStyle = env['SALLYPORT_INTEROP_S3_PATH_STYLE'] === 'true';
const prefix = `sallyport-interop-${randomUUID()}/`;
const MIB = 1024 ** 2;

const kind = bucket === undefined ? 'plain' : await kindOf(bucket);

/** Whether the bucket keeps versions; its own owner decides that, not the test. */
async function kindOf(Bucket: string): Promise<'versioned' | 'plain'> {
  const s3 = client();
  const { Status } = await s3.send(new GetBucketVersioningCommand({ Bucket }));
  s3.destroy();
  return Status === 'Enabled' ? 'versioned' : 'plain';
}

/** With the keys of the SDK's own chain. */
function client(): S3Client {
  return new S3Client({ region, forcePathStyle: isPathStyle, ...(endpoint !== undefined && { endpoint }) });
}

const places = (name: string) => ({
  versioned: kind === 'versioned' ? name : undefined,
  plain: kind === 'plain' ? name : undefined,
});

describe.skipIf(bucket === undefined)(
  'a bucket of your own (skipped unless SALLYPORT_INTEROP_S3_BUCKET names one)',
  () => {
    const name = bucket ?? '';
    let s3: S3Client;
    beforeAll(() => {
      s3 = client();
    });
    afterAll(async () => {
      await removeBelow(s3, name);
      s3.destroy();
    }, 300_000);

    describe('objects', () => {
      let endpoints: Endpoints;
      let setting: StorageUnderTest;
      beforeAll(() => {
        endpoints = new Endpoints(
          readConfig({
            S3_ENDPOINT: endpoint,
            S3_REGION: region,
            S3_FORCE_PATH_STYLE: String(isPathStyle),
            S3_BUCKETS: name,
          }),
        );
        setting = {
          storage: new ObjectStorage(endpoints),
          inParts: new ObjectStorage(endpoints, { multipartCopyBytes: 6 * MIB, copyPartBytes: 5 * MIB }),
          client: s3,
          endpointId: CONFIGURED_ENDPOINT,
          prefix,
          ...places(name),
        };
      });
      afterAll(() => endpoints.close());
      describeObjectStorage(() => setting, {
        kinds: [kind],
        differences: {
          'wrong keys are denied': 'the keys come from the chain; there are no wrong ones to try',
        },
      });
    });

    // Told through the API: the bucket's notifications stay as they are.
    describe('uploads', () => {
      let folder: string;
      let service: ServiceProcess;
      let harmless: 'clean' | 'incomplete';
      beforeAll(async () => {
        folder = mkdtempSync(join(tmpdir(), 'sallyport-flow-'));
        chmodSync(folder, 0o755);
        const clamd = ownClamd(folder);
        harmless = clamd === undefined ? 'incomplete' : 'clean';
        service = await ServiceProcess.on(join(folder, 'home'), {
          ...fromChain(),
          ...(endpoint !== undefined && { S3_ENDPOINT: endpoint }),
          S3_REGION: region,
          S3_FORCE_PATH_STYLE: String(isPathStyle),
          S3_BUCKETS: name,
          ...(quarantine === undefined
            ? { ACTION_MODE: 'tag' }
            : { ACTION_MODE: 'quarantine', QUARANTINE_BUCKET: quarantine }),
          ...clamd,
        });
        await service.start();
        if (clamd !== undefined) await clamdAnswers(service);
      }, 120_000);
      afterAll(async () => {
        await service.stop();
        rmSync(folder, { recursive: true, force: true });
      }, 60_000);

      const tell = async (where: string, key: string): Promise<void> => {
        await service.api('/api/v1/scans', { method: 'POST', body: { bucket: where, key } });
      };
      describeFlow(() => ({ service, s3, prefix, ...places(name), harmless, tell }), {
        kinds: [kind],
        quarantines: quarantine !== undefined,
        differences: {
          'the doctor proves rights and events, and leaves nothing behind':
            'the bucket tells the service of nothing by itself here',
        },
      });
    });
  },
);

/** What the SDK's chain reads from the environment, for the service's own process. */
function fromChain(): Record<string, string> {
  const wanted = Object.entries(env).filter(
    (entry): entry is [string, string] => /^(AWS_|HOME$)/.test(entry[0]) && entry[1] !== undefined,
  );
  return Object.fromEntries(wanted);
}

/** Every version and marker below our prefix, a page at a time. */
async function removeBelow(s3: S3Client, Bucket: string): Promise<void> {
  for (let page = 0; page < 100; page += 1) {
    const listing = await s3.send(new ListObjectVersionsCommand({ Bucket, Prefix: prefix }));
    const found = [...(listing.Versions ?? []), ...(listing.DeleteMarkers ?? [])];
    for (const { Key, VersionId } of found)
      await s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
    if (found.length === 0) return;
  }
  throw new Error(`there is still something below ${prefix} in ${Bucket}; remove it`);
}
