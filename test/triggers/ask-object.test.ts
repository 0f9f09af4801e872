import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askObject, type AskedUpload } from '../../src/triggers/ask-object.js';
import { startTestS3, type TestS3 } from '../s3/endpoint.js';

const BOTH = { type: true, tags: true };

let s3: TestS3;
beforeAll(async () => {
  s3 = await startTestS3();
});
afterAll(() => s3.close());

const uploadOf = ({
  endpointId,
  bucket,
  key,
  versionId,
}: Awaited<ReturnType<TestS3['put']>>): AskedUpload => ({
  endpointId,
  bucket,
  key,
  versionId,
  kind: 'created',
});

describe('an object that is asked', () => {
  it('tells size, tags, and the type of what it holds and not of what it is called', async () => {
    const zip = `PK\u0003\u0004${'\u0000'.repeat(60)}`;
    const object = await s3.put('letter.txt', zip);
    await s3.storage.mergeTags(object, { team: 'red' });
    expect(await askObject(s3.storage, uploadOf(object), BOTH)).toMatchObject({
      upload: {
        sizeBytes: zip.length,
        contentType: 'application/zip',
        tags: { team: 'red' },
        isInspected: true,
      },
      problems: [],
    });
    const text = await s3.put('picture.png', 'only text');
    expect((await askObject(s3.storage, uploadOf(text), BOTH)).upload.contentType).toBe('text/plain');
  });

  it('is asked about the version that was uploaded, whatever came after it', async () => {
    const first = await s3.put('twice', 'the first');
    await s3.put('twice', `PK\u0003\u0004${'\u0000'.repeat(60)}`);
    const { upload } = await askObject(s3.storage, uploadOf(first), { type: true, tags: false });
    expect(upload).toMatchObject({ contentType: 'text/plain', sizeBytes: 9 });
    expect(upload.tags).toBeUndefined();
  });

  it('without bytes is empty, which is a type', async () => {
    const object = await s3.put('empty', '');
    expect((await askObject(s3.storage, uploadOf(object), BOTH)).upload.contentType).toBe(
      'application/x-empty',
    );
  });

  it('that is gone, or that another one stands in place of, tells nothing and says so', async () => {
    const object = await s3.put('gone', 'x');
    await s3.storage.deleteVersion(object);
    const gone = await askObject(s3.storage, uploadOf(object), BOTH);
    expect(gone.problems).toHaveLength(1);
    expect(gone.upload).toMatchObject({ isInspected: true });
    expect(gone.upload).not.toHaveProperty('contentType');
    const there = await s3.put('replaced', 'new');
    const old = { ...uploadOf(there), versionId: undefined, eTag: 'd41d8cd98f00b204e9800998ecf8427e' };
    expect((await askObject(s3.storage, old, BOTH)).problems.join()).toMatch(/^size: /);
  });
});
