import { readConfig } from '../../../src/config.js';
import { EMBEDDED_ENDPOINT } from '../../../src/s3/buckets.js';
import { Endpoints } from '../../../src/s3/endpoints.js';
import { ObjectStorage } from '../../../src/s3/object-storage.js';
import type { StorageUnderTest } from '../object-storage.suite.js';
import { clientOf, makeBuckets, type S3Server } from './s3-server.js';

const MIB = 1024 ** 2;
const PARTS = { multipartCopyBytes: 6 * MIB, copyPartBytes: 5 * MIB };

/** The service's own storage code on a server, with a bucket of each kind. */
export async function storageOf(server: S3Server): Promise<StorageUnderTest & { close(): void }> {
  const client = clientOf(server);
  await makeBuckets(client, { uploads: 'versioned', plain: 'plain' });
  const { endpoint, region, keys } = server;
  const endpoints = new Endpoints(readConfig({}));
  endpoints.registerEmbedded({ endpoint, region, ...keys });
  const wrong = new Endpoints(readConfig({}));
  wrong.registerEmbedded({ endpoint, region, ...keys, secretAccessKey: 'another secret' });
  return {
    storage: new ObjectStorage(endpoints),
    inParts: new ObjectStorage(endpoints, PARTS),
    stranger: new ObjectStorage(wrong),
    client,
    endpointId: EMBEDDED_ENDPOINT,
    prefix: '',
    versioned: 'uploads',
    plain: 'plain',
    close: () => {
      client.destroy();
      endpoints.close();
      wrong.close();
    },
  };
}
