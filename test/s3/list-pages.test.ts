import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { compareKeys } from '../../src/s3/key-order.js';
import type { ListingOptions, ListingPage } from '../../src/s3/list-pages.js';
import { ListingBroken, ListingGuard, LISTING_BOUNDS, type ListedEntry } from '../../src/s3/listing-guard.js';
import type { ObjectStorage } from '../../src/s3/object-storage.js';
import { startTestS3, type TestS3 } from './endpoint.js';
import { startLyingServer, type AskedPage, type ToldAnswer } from './lying-listing.js';

const ODD_KEYS = [
  '../up',
  '/leading',
  'a b+c%20d#e?f&g=h;i',
  '100%',
  'folder/',
  'new\nline',
  'quote\'s "double" <b>&amp;',
  'e\u0301',
  '\u00e9',
  '\u{1f600}',
  '\ufffd',
  'x'.repeat(1024),
];

const pagesOf = async (storage: ObjectStorage, bucket: string, options: ListingOptions = {}) => {
  const pages: ListingPage[] = [];
  for await (const page of storage.listPages({ endpointId: 'embedded', bucket }, options)) pages.push(page);
  return pages;
};
const entriesOf = async (...args: Parameters<typeof pagesOf>): Promise<ListedEntry[]> =>
  (await pagesOf(...args)).flatMap(({ entries }) => entries);
const nameOf = ({ key, versionId }: Pick<ListedEntry, 'key' | 'versionId'>) => `${key}@${versionId}`;

describe('a bucket that keeps versions', () => {
  let s3: TestS3;
  const expected: Pick<ListedEntry, 'key' | 'versionId'>[] = [];
  beforeAll(async () => {
    s3 = await startTestS3();
    for (const key of ODD_KEYS) {
      for (const body of ['first', 'second']) expected.push(await s3.put(key, body));
    }
    for (const key of ['folder/', 'gone']) {
      const { VersionId } = await s3.client.send(new DeleteObjectCommand({ Bucket: 'uploads', Key: key }));
      expected.push({ key, versionId: VersionId });
    }
    for (let i = 0; i < 7; i += 1) expected.push(await s3.put('many', `version ${i}`));
  });
  afterAll(() => s3.close());

  it.each([1, 2, 3, 5, 1000])(
    'is told whole, in order and nothing twice, by pages of %i',
    async (pageSize) => {
      const entries = await entriesOf(s3.storage, 'uploads', { pageSize });
      expect(entries.map(nameOf).sort()).toEqual(expected.map(nameOf).sort());
      const keys = entries.map(({ key }) => key);
      expect(keys).toEqual([...keys].sort(compareKeys));
      const byKey = (key: string) => entries.filter((entry) => entry.key === key);
      expect(byKey('folder/').map(({ isLatest, isDeleteMarker }) => [isLatest, isDeleteMarker])).toEqual([
        [true, true],
        [false, false],
        [false, false],
      ]);
      expect(byKey('many').map(({ isLatest }) => isLatest)).toEqual([true, ...Array<boolean>(6).fill(false)]);
      expect(byKey('new\nline')[0]).toMatchObject({ sizeBytes: 6, isLatest: true });
    },
  );

  it('is taken up at any place and told from there on', async () => {
    const whole = await entriesOf(s3.storage, 'uploads');
    const pages = await pagesOf(s3.storage, 'uploads', { pageSize: 3 });
    let seen = 0;
    for (const page of pages) {
      seen += page.entries.length;
      if (page.next === undefined) continue;
      const rest = await entriesOf(s3.storage, 'uploads', { after: page.next, pageSize: 4 });
      expect(rest.map(nameOf)).toEqual(whole.slice(seen).map(nameOf));
    }
  });

  it('goes on when the version at which a page ended is deleted meanwhile', async () => {
    for (let i = 0; i < 4; i += 1) await s3.put('zz-vanishing', `version ${i}`);
    const listing = s3.storage.listPages(
      { endpointId: 'embedded', bucket: 'uploads' },
      { prefix: 'zz-', pageSize: 2 },
    );
    const { value: first } = (await listing.next()) as { value: ListingPage };
    const place = first.entries[1];
    await s3.client.send(
      new DeleteObjectCommand({ Bucket: 'uploads', Key: place?.key, VersionId: place?.versionId }),
    );
    const rest: ListedEntry[] = [];
    for await (const page of listing) rest.push(...page.entries);
    expect(new Set([...first.entries, ...rest].map(nameOf)).size).toBe(4);
    expect(rest).toHaveLength(2);
  });

  it('is told only as far as the prefix goes', async () => {
    const entries = await entriesOf(s3.storage, 'uploads', { prefix: 'new\n' });
    expect(entries.map(({ key }) => key)).toEqual(['new\nline', 'new\nline']);
  });

  it('without versions its objects are told as they are now, by keys only', async () => {
    for (const key of ODD_KEYS) await s3.put(key, 'old', 'plain');
    for (const key of ODD_KEYS) await s3.put(key, 'newer', 'plain');
    const entries = await entriesOf(s3.storage, 'plain', { pageSize: 5 });
    expect(entries.map(({ key }) => key)).toEqual([...ODD_KEYS].sort(compareKeys));
    expect(entries.every((entry) => entry.versionId === undefined && entry.sizeBytes === 5)).toBe(true);
  });
});

describe('a server that lies', () => {
  let server: Awaited<ReturnType<typeof startLyingServer>> | undefined;
  afterEach(() => server?.close());
  const told = async (answer: (asked: AskedPage) => ToldAnswer, options: ListingOptions = {}) => {
    server = await startLyingServer(answer);
    return entriesOf(server.storage, 'b', options);
  };
  const small = { ...LISTING_BOUNDS, maxPages: 50, maxVersionsOfKey: 20, maxEmptyPages: 5 };
  const endless = (n: number) => String(n).padStart(9, '0');

  it.each<[string, (asked: AskedPage) => ToldAnswer, RegExp]>([
    [
      'the same page again and again',
      () => ({ entries: [{ key: 'a' }, { key: 'b' }], isTruncated: true, nextKey: 'b', nextId: 'v' }),
      /out of order|stays where it is/,
    ],
    [
      'a key for ever, in a ring of versions',
      ({ id }) => ({
        entries: [{ key: 'a', id: id === 'v1' ? 'v2' : 'v1' }],
        isTruncated: true,
        nextKey: 'a',
        nextId: id === 'v1' ? 'v2' : 'v1',
      }),
      /stays where it is/,
    ],
    [
      'ever new versions of one key',
      ({ count }) => ({
        entries: [{ key: 'a', id: `v${count}` }],
        isTruncated: true,
        nextKey: 'a',
        nextId: `v${count}`,
      }),
      /more than 20 versions/,
    ],
    [
      'ever new keys',
      ({ count }) => ({ entries: [{ key: endless(count) }], isTruncated: true, nextKey: endless(count) }),
      /no end after 50 pages/,
    ],
    [
      'nothing, and promises more',
      () => ({ entries: [], isTruncated: true, nextKey: 'a' }),
      /stays where it is/,
    ],
    [
      'nothing, ever further on',
      ({ count }) => ({ entries: [], isTruncated: true, nextKey: endless(count) }),
      /6 pages in a row/,
    ],
    ['nothing and no place to go on', () => ({ entries: [], isTruncated: true }), /does not say where/],
    ['keys out of order', () => ({ entries: [{ key: 'b' }, { key: 'a' }] }), /out of order/],
    [
      'a page before the one that it told',
      ({ count }) => ({ entries: [{ key: count === 1 ? 'm' : 'c' }], isTruncated: count === 1 }),
      /out of order/,
    ],
    [
      'a marker that goes back',
      () => ({ entries: [{ key: 'm' }, { key: 'n' }], isTruncated: true, nextKey: 'a' }),
      /begins before this one ends/,
    ],
    [
      'the same version twice',
      () => ({
        entries: [
          { key: 'a', id: '1' },
          { key: 'a', id: '1' },
        ],
      }),
      /the same version twice/,
    ],
    ['a negative size', () => ({ entries: [{ key: 'a', size: -1 }] }), /size/],
    ['a broken encoding', () => ({ entries: [{ key: '%zz' }], encoding: 'url' }), /cannot be undone/],
  ])('and tells %s ends with a clear error', async (_, answer, problem) => {
    const listing = told(answer, { bounds: small });
    await expect(listing).rejects.toThrow(ListingBroken);
    await expect(listing).rejects.toThrow(problem);
    expect(server?.count()).toBeLessThanOrEqual(51);
  });

  it('and tells keys outside of the prefix ends with a clear error', async () => {
    await expect(told(() => ({ entries: [{ key: 'other/a' }] }), { prefix: 'mine/' })).rejects.toThrow(
      /outside of the prefix/,
    );
  });

  it('about the end of a full page is asked once more, and nothing is missed', async () => {
    const entries = await told(
      ({ key }) => ({
        entries: key === null ? [{ key: 'a' }, { key: 'b' }] : key === 'b' ? [{ key: 'c' }] : [],
      }),
      { pageSize: 2 },
    );
    expect(entries.map(({ key }) => key)).toEqual(['a', 'b', 'c']);
  });

  it('about where the next page begins is not followed past what it told', async () => {
    const entries = await told(({ key }) =>
      key === null
        ? { entries: [{ key: 'a' }], isTruncated: true, nextKey: 'x' }
        : { entries: key === 'a' ? [{ key: 'm' }, { key: 'y' }] : [] },
    );
    expect(entries.map(({ key }) => key)).toEqual(['a', 'm', 'y']);
  });

  it('and names no next place is followed by what it told', async () => {
    const entries = await told(({ key, id }) =>
      key === null
        ? { entries: [{ key: 'a', id: '2' }], isTruncated: true }
        : { entries: key === 'a' && id === '2' ? [{ key: 'a', id: '1', isLatest: false }] : [] },
    );
    expect(entries.map(nameOf)).toEqual(['a@2', 'a@1']);
  });

  it('and does not know the encoding gives keys as they are', async () => {
    const [entry] = await told(() => ({ entries: [{ key: 'a+b%20c' }] }));
    expect(entry?.key).toBe('a+b%20c');
  });
});

it('an honest listing, cut into pages anywhere, passes whole', () => {
  const version = fc.record({
    key: fc.string({ unit: 'binary', minLength: 1, maxLength: 3 }),
    id: fc.nat(30),
  });
  fc.assert(
    fc.property(
      fc.uniqueArray(version, { selector: ({ key, id }) => `${key}/${id}`, maxLength: 40 }),
      fc.integer({ min: 1, max: 7 }),
      (versions, pageSize) => {
        const entries = versions
          .sort((a, b) => compareKeys(a.key, b.key) || b.id - a.id)
          .map(({ key, id }) => ({
            key,
            versionId: String(id),
            isLatest: false,
            isDeleteMarker: false,
            eTag: '',
            sizeBytes: 0,
            lastModified: '',
          }));
        const guard = new ListingGuard('', undefined);
        const passed: ListedEntry[] = [];
        for (let at = 0; at < entries.length; at += pageSize) {
          const isTruncated = at + pageSize < entries.length;
          const page = guard.follow({ entries: entries.slice(at, at + pageSize), isTruncated });
          passed.push(...page.entries);
          expect(page.next !== undefined).toBe(isTruncated);
        }
        expect(passed).toEqual(entries);
      },
    ),
  );
});
