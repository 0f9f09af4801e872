import type { EstimateAnswer } from './run-answer.js';

/** What a bounded listing found. */
export interface Found {
  /** Versions in the listing, delete markers counted: what its requests are counted by. */
  readonly entries: number;
  /** Asked for by the backfill. */
  readonly objects: number;
  readonly bytes: number;
  /** In the ledger with a verdict already, or not to be scanned by a rule. */
  readonly done: number;
  readonly doneBytes: number;
}

export const NOTHING_FOUND: Found = { entries: 0, objects: 0, bytes: 0, done: 0, doneBytes: 0 };

/** How fast this installation scans. */
export interface Throughput {
  readonly objectsPerSecond: number;
  readonly bytesPerSecond: number;
  /** `assumed` before enough was scanned here. */
  readonly basis: 'measured' | 'assumed';
}

/** What S3 charges; currency units. Wrong for your region or contract until you say it is right. */
export interface Prices {
  readonly currency: string;
  readonly perThousandList: number;
  readonly perThousandGet: number;
  readonly perThousandPut: number;
  readonly perGigabyteOut: number;
}

/** AWS's list price in us-east-1 for S3 Standard, read from the same region. */
export const ASSUMED_PRICES: Prices = {
  currency: 'USD',
  perThousandList: 0.005,
  perThousandGet: 0.0004,
  perThousandPut: 0.005,
  perGigabyteOut: 0,
};

/** What a backfill would come to. */
export interface Estimate extends EstimateAnswer {
  readonly throughput: Throughput;
  readonly prices: Prices;
}

const PAGE = 1000;
const GIGABYTE = 1e9;
// At most: inspect's HEAD, its first bytes and the scan's (one GET where that follows at once); tagging asks for a HEAD
// where no version pins the object.
const HEADS_OF_SCAN = 1;
const GETS_OF_SCAN = 2;
const HEADS_OF_TAG = 1;

export interface EstimateInput {
  /** Of the whole listing, extrapolated where `isExact` is false. */
  readonly found: Found;
  readonly seen: number;
  readonly isExact: boolean;
  readonly throughput: Throughput;
  readonly prices: Prices;
  /** Verdicts are written as tags. */
  readonly tags: boolean;
}

/** The arithmetic of an estimate. Pure. */
export function estimateOf(input: EstimateInput): Estimate {
  const { found, throughput, prices, tags } = input;
  const toScan = Math.max(0, found.objects - found.done);
  const bytesToScan = Math.max(0, found.bytes - found.doneBytes);
  const requests: Estimate['requests'] = {
    // One for the end, which is asked for when the last page is full.
    list: Math.max(1, Math.ceil(found.entries / PAGE)),
    get: toScan * GETS_OF_SCAN,
    head: toScan * (HEADS_OF_SCAN + (tags ? HEADS_OF_TAG : 0)),
    getTags: tags ? toScan : 0,
    putTags: tags ? toScan : 0,
  };
  const reads = requests.get + requests.head + requests.getTags;
  const cost =
    (requests.list * prices.perThousandList +
      reads * prices.perThousandGet +
      requests.putTags * prices.perThousandPut) /
      1000 +
    (bytesToScan / GIGABYTE) * prices.perGigabyteOut;
  const expectedSeconds = Math.max(
    toScan / Math.max(throughput.objectsPerSecond, Number.EPSILON),
    bytesToScan / Math.max(throughput.bytesPerSecond, Number.EPSILON),
  );
  return {
    isExact: input.isExact,
    seen: input.seen,
    objects: found.objects,
    bytes: found.bytes,
    alreadyDone: found.done,
    toScan,
    bytesToScan,
    expectedSeconds: Math.ceil(expectedSeconds),
    throughput,
    requests,
    cost: Math.round(cost * 1e6) / 1e6,
    prices,
  };
}

export const addFound = (a: Found, b: Found): Found => ({
  entries: a.entries + b.entries,
  objects: a.objects + b.objects,
  bytes: a.bytes + b.bytes,
  done: a.done + b.done,
  doneBytes: a.doneBytes + b.doneBytes,
});

/** What `found` would be of so many entries. */
export function scaleFound(found: Found, entries: number): Found {
  if (found.entries === 0) return { ...NOTHING_FOUND, entries: 0 };
  const factor = entries / found.entries;
  return {
    entries: Math.round(entries),
    objects: Math.round(found.objects * factor),
    bytes: Math.round(found.bytes * factor),
    done: Math.round(found.done * factor),
    doneBytes: Math.round(found.doneBytes * factor),
  };
}

/** A window of verdicts: how many in how long. */
export interface Window {
  readonly objects: number;
  readonly bytes: number;
  readonly seconds: number;
}

/** A small machine with the built-in engines; every installation soon measures its own. */
const ASSUMED: Throughput = { objectsPerSecond: 100, bytesPerSecond: 40e6, basis: 'assumed' };
// Fewer verdicts than this say more about the uploads than about the scanners.
const ENOUGH = 200;

/**
 * The best of the latest windows: when uploads are rare, all others measure the uploads and not the scanners. Bytes a
 * second are only as high as the objects were large, so the assumed figure stands until a higher one was seen.
 */
export function throughputOf(windows: readonly Window[]): Throughput {
  const total = windows.reduce((sum, { objects }) => sum + objects, 0);
  if (total < ENOUGH) return ASSUMED;
  const best = (of: (window: Window) => number) => Math.max(...windows.map(of));
  return {
    objectsPerSecond: best(({ objects, seconds }) => objects / seconds),
    bytesPerSecond: Math.max(
      ASSUMED.bytesPerSecond,
      best(({ bytes, seconds }) => bytes / seconds),
    ),
    basis: 'measured',
  };
}
