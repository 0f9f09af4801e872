import { setTimeout as delay } from 'node:timers/promises';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { ServiceProcess } from '../../test/support/service-process.js';

const PRELOAD = new URL('./moved-time.mjs', import.meta.url);
// The service compares the clocks once a second, and takes the time anew when they moved.
const NOTICED_MS = 1_300;

/** The service while it lives in the past. */
export class MovedService {
  private constructor(
    readonly service: ServiceProcess,
    private movedByMs: number,
  ) {}

  static async start(service: ServiceProcess, movedByMs: number): Promise<MovedService> {
    await service.start(`${PRELOAD.href}?by=${movedByMs}`);
    return new MovedService(service, movedByMs);
  }

  now(): number {
    return Date.now() + this.movedByMs;
  }

  /** Time passes, all at once. */
  async moveTo(movedByMs: number): Promise<void> {
    this.movedByMs = movedByMs;
    this.service.tell({ movedByMs });
    await delay(NOTICED_MS);
  }

  async upload(key: string, body: Buffer): Promise<void> {
    const { accessKeyId, secretAccessKey } = this.service.credentials.s3;
    const s3 = new S3Client({
      endpoint: `http://127.0.0.1:${this.service.s3Port}`,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { accessKeyId, secretAccessKey },
      // Requests are signed with their time.
      systemClockOffset: this.movedByMs,
    });
    try {
      await s3.send(new PutObjectCommand({ Bucket: 'uploads', Key: key, Body: body }));
    } finally {
      s3.destroy();
    }
  }
}
