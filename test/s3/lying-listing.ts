import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { S3Client } from '@aws-sdk/client-s3';
import { Endpoints } from '../../src/s3/endpoints.js';
import { ObjectStorage } from '../../src/s3/object-storage.js';

export interface ToldEntry {
  readonly key: string;
  readonly id?: string;
  readonly isMarker?: boolean;
  readonly isLatest?: boolean;
  readonly size?: number;
}

/** One answer to ListObjectVersions. */
export interface ToldAnswer {
  readonly entries: readonly ToldEntry[];
  readonly isTruncated?: boolean;
  readonly nextKey?: string;
  readonly nextId?: string;
  readonly encoding?: string;
}

/** What was asked for. */
export interface AskedPage {
  readonly key: string | null;
  readonly id: string | null;
  readonly count: number;
}

/** An S3 server that tells of one bucket whatever it is told to. Close it. */
export async function startLyingServer(answer: (asked: AskedPage) => ToldAnswer): Promise<{
  readonly storage: ObjectStorage;
  readonly count: () => number;
  close(): Promise<void>;
}> {
  let count = 0;
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://x');
    response.setHeader('content-type', 'application/xml');
    if (searchParams.has('versioning')) {
      response.end('<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>');
      return;
    }
    count += 1;
    response.end(
      xmlOf(
        answer({ key: searchParams.get('key-marker'), id: searchParams.get('version-id-marker'), count }),
      ),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const client = new S3Client({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
  });
  const endpoints = { client: () => client } as unknown as Endpoints;
  return {
    storage: new ObjectStorage(endpoints),
    count: () => count,
    close: async () => {
      client.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const xmlOf = (answer: ToldAnswer): string =>
  `<ListVersionsResult><IsTruncated>${answer.isTruncated === true}</IsTruncated>${
    answer.encoding === undefined ? '' : `<EncodingType>${answer.encoding}</EncodingType>`
  }${answer.nextKey === undefined ? '' : `<NextKeyMarker>${answer.nextKey}</NextKeyMarker>`}${
    answer.nextId === undefined ? '' : `<NextVersionIdMarker>${answer.nextId}</NextVersionIdMarker>`
  }${answer.entries.map(entryXml).join('')}</ListVersionsResult>`;

const entryXml = ({ key, id = 'v', isMarker = false, isLatest = true, size = 1 }: ToldEntry): string => {
  const name = isMarker ? 'DeleteMarker' : 'Version';
  const body = isMarker ? '' : `<ETag>"e"</ETag><Size>${size}</Size>`;
  return `<${name}><Key>${key}</Key><VersionId>${id}</VersionId><IsLatest>${isLatest}</IsLatest><LastModified>2026-11-20T10:00:00.000Z</LastModified>${body}</${name}>`;
};
