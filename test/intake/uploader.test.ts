import { beforeEach, describe, expect, it } from 'vitest';
import { awsRecord, intakeParts, type RecordParts } from './intake-parts.js';

const { intake, test, ledger } = await intakeParts();
const webhook = { kind: 'webhook' } as const;
const put: RecordParts = { key: 'k', versionId: 'v1', eTag: 'e', size: 1, sequencer: 'A1' };
const by = (principalId: unknown, parts: RecordParts = put) => ({
  Records: [{ ...awsRecord(parts), userIdentity: { principalId } }],
});
const bridge = (requester: string) => ({
  source: 'aws.s3',
  'detail-type': 'Object Created',
  detail: {
    requester,
    bucket: { name: 'uploads' },
    object: { key: 'k', 'version-id': 'v1', etag: 'e', size: 1, sequencer: 'A1' },
  },
});
const uploaders = async (): Promise<(string | null)[]> =>
  (await test.query<{ uploader: string | null }>('SELECT uploader FROM object_version ORDER BY key')).map(
    ({ uploader }) => uploader,
  );

beforeEach(() => test.truncate());

describe('the uploader of an object', () => {
  it('is the principal that its event names, and the scan knows it', async () => {
    await intake.accept(by('AWS:AROAEXAMPLEID:alice'), webhook);
    expect(await uploaders()).toEqual(['AWS:AROAEXAMPLEID:alice']);
    const [scan] = await test.query<{ id: string }>('SELECT id FROM scan');
    expect(await ledger.scan(scan?.id ?? '')).toMatchObject({ uploader: 'AWS:AROAEXAMPLEID:alice' });
  });

  it('is told by the second of two ways, where the first named the account alone', async () => {
    await intake.accept(bridge('123456789012'), webhook);
    expect(await uploaders()).toEqual(['123456789012']);
    expect(await intake.accept(by('AWS:AIDAEXAMPLE'), webhook)).toMatchObject({ duplicates: 1 });
    expect(await uploaders()).toEqual(['AWS:AIDAEXAMPLE']);
  });

  it('stays who was named first, whatever a later message says', async () => {
    await intake.accept(by('AWS:AIDAEXAMPLE'), webhook);
    await intake.accept(by('AWS:AIDAMALLORY'), webhook);
    await intake.accept(by('AWS:AIDAMALLORY', { ...put, sequencer: 'A2' }), webhook);
    await intake.accept(bridge('123456789012'), webhook);
    expect(await uploaders()).toEqual(['AWS:AIDAEXAMPLE']);
  });

  it('is not who restored or deleted it, and nobody where no event named one', async () => {
    await intake.accept(by('AWS:AIDAEXAMPLE', { ...put, eventName: 'ObjectRestore:Completed' }), webhook);
    await intake.accept(by(undefined, { ...put, key: 'l', sequencer: 'A3' }), webhook);
    await intake.accept(by({ nested: 'x' }, { ...put, key: 'm', sequencer: 'A4' }), webhook);
    expect(await uploaders()).toEqual([null, null, null]);
  });

  it('is stored bounded and as text, however hostile', async () => {
    await intake.accept(by(`${'a'.repeat(499)}😀tail`), webhook);
    const [uploader = ''] = await uploaders();
    expect(uploader?.length).toBeLessThanOrEqual(500);
    expect(uploader?.isWellFormed()).toBe(true);
  });
});
