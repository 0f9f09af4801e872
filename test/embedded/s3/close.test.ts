import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { createServer } from 'node:net';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, describe, expect, it } from 'vitest';
import { startS3Endpoint } from '../../../src/embedded/s3/endpoint.js';
import {
  ACCESS_KEY_ID,
  cleanUp,
  makeDirectory,
  onCleanUp,
  SECRET_ACCESS_KEY,
  start,
} from './endpoint-fixture.js';
import { rawText, sign } from './raw-client.js';

const Bucket = 'uploads';

afterEach(cleanUp);

describe('starting and closing', () => {
  it('closing ends within two seconds, whatever clients and receivers do', async () => {
    const { endpoint, client } = await start({ onEvent: () => new Promise(() => {}) });
    await endpoint.createBucket(Bucket);
    await client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: Buffer.alloc(32 * 1024 * 1024) }));
    const host = `127.0.0.1:${endpoint.port}`;
    const idle = connectSocket(endpoint.port, '127.0.0.1');
    const upload = connectSocket(endpoint.port, '127.0.0.1');
    const download = connectSocket(endpoint.port, '127.0.0.1').pause();
    const put = { method: 'PUT', path: '/uploads/x' };
    upload.write(rawText(put, sign(put, host), '', { 'content-length': '1000' }));
    const get = { path: '/uploads/k' };
    download.write(rawText(get, sign(get, host)));
    await Promise.all([once(idle, 'connect'), once(download, 'connect'), once(upload, 'connect')]);
    // They are cut off, which is the point.
    for (const socket of [idle, upload, download]) socket.on('error', () => {});
    const began = performance.now();
    await endpoint.close();
    expect(performance.now() - began).toBeLessThan(2000);
    await endpoint.close();
    for (const socket of [idle, upload, download]) socket.destroy();
  });

  it('an upload that is under way when closing begins is finished', async () => {
    const { endpoint, client, directory } = await start();
    await endpoint.createBucket(Bucket);
    const request = { method: 'PUT', path: '/uploads/k' };
    const socket = connectSocket(endpoint.port, '127.0.0.1');
    const expectation = { 'content-length': '5', expect: '100-continue' };
    socket.write(rawText(request, sign(request, `127.0.0.1:${endpoint.port}`), '', expectation));
    await once(socket, 'data');
    const closed = endpoint.close();
    socket.write('hello');
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1\.1 200 /);
    await closed;
    client.destroy();
    const again = await start({ directory });
    const got = await again.client.send(new GetObjectCommand({ Bucket, Key: 'k' }));
    expect(await got.Body?.transformToString()).toBe('hello');
  });

  it('a taken port is named, and the directory is free again', async () => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await once(blocker, 'listening');
    onCleanUp(async () => void blocker.close());
    const address = blocker.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const directory = await makeDirectory();
    const keys = { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET_ACCESS_KEY };
    const blocked = startS3Endpoint({ directory, port, ...keys });
    await expect(blocked).rejects.toMatchObject({
      code: 'S3_ADDRESS_UNUSABLE',
      message: expect.stringContaining(`:${port}`),
    });
    await start({ directory });
  });
});
