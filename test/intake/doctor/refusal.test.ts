import { describe, expect, it } from 'vitest';
import { refusal, remedyFor } from '../../../src/intake/doctor/trials.js';
import { BucketSettings } from '../../../src/s3/bucket-settings.js';
import { StorageError } from '../../../src/s3/storage-error.js';
import { startTestS3 } from '../../s3/endpoint.js';

describe('what S3 refuses to the doctor', () => {
  it('says which thing is not there, and what mends it, also where the answer has no words', async () => {
    const s3 = await startTestS3();
    try {
      const settings = new BucketSettings(s3.endpoints);
      const failed: unknown = await settings
        .region({ endpointId: 'embedded', bucket: 'never-made' })
        .catch((error: unknown) => error);
      expect(refusal(failed)).toMatch(/^\w+: There is no bucket of this name\./);
      expect(remedyFor(failed)).toBe('Check the name of the bucket and its endpoint.');
    } finally {
      await s3.close();
    }
  });

  it('never ends after its code', () => {
    expect(refusal(new StorageError('gone', 'NotFound', ''))).toBe(
      'NotFound: there is no such object or version',
    );
    expect(refusal(new StorageError('other', 'BadRequest', ''))).toBe('BadRequest: S3 says no more');
  });
});
