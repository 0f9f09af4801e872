import { AppError } from '../errors.js';
import { compareKeys } from './key-order.js';

/** Where a listing goes on: after this version of this key, or after the whole key where no version is named. */
export interface ListingPlace {
  readonly key: string;
  readonly versionId?: string | undefined;
}

/** One version, or one delete marker, as a listing tells it. */
export interface ListedEntry {
  readonly key: string;
  /** Absent in listings of current objects. The string "null" is a real version id. */
  readonly versionId?: string | undefined;
  /** What a GET without a version id gives; a key whose latest is a delete marker has no such version. */
  readonly isLatest: boolean;
  readonly isDeleteMarker: boolean;
  /** Without quotes; empty for delete markers. */
  readonly eTag: string;
  readonly sizeBytes: number;
  /** ISO 8601. */
  readonly lastModified: string;
  readonly storageClass?: string | undefined;
}

/** What a server answered, decoded and in the order of keys. */
export interface ToldPage {
  readonly entries: readonly ListedEntry[];
  readonly isTruncated: boolean;
  /** Where the server says that the next page begins. */
  readonly next?: ListingPlace | undefined;
}

export interface ListingBounds {
  /** Pages of one listing, over all its continuations in this process. */
  readonly maxPages: number;
  /** Versions of one key, delete markers counted. */
  readonly maxVersionsOfKey: number;
  /** Pages without an entry in a row. */
  readonly maxEmptyPages: number;
  readonly maxEntriesOfPage: number;
}

/** Ten thousand million objects; more than anybody lists, and an end for a server that never comes to one. */
export const LISTING_BOUNDS: ListingBounds = {
  maxPages: 10_000_000,
  maxVersionsOfKey: 1_000_000,
  maxEmptyPages: 100,
  maxEntriesOfPage: 5_000,
};

/** A server's listing contradicts itself or has no end: what it says of the bucket cannot be relied on. */
export class ListingBroken extends AppError {
  readonly code = 'LISTING_BROKEN';
  readonly status = 502;
  constructor(readonly problem: string) {
    super(
      `The S3 server's listing cannot be followed: ${problem}. Nothing behind this place was seen. Check the server, or list a prefix at a time.`,
    );
  }
}

/** A page that can be relied on. */
export interface CheckedPage {
  /** Without what an earlier page told already. */
  readonly entries: readonly ListedEntry[];
  /** Absent when this was the last page. */
  readonly next?: ListingPlace | undefined;
}

/**
 * Follows a listing page by page and refuses what no honest server says: a way back, the same version twice, markers
 * that do not move, no end. It also knows where the next page begins when the server does not say it.
 *
 * Of the key in which the page before ended versions may come again: a server that no longer finds the marker's version
 * begins that key anew. They are left out, and a page that tells nothing else ends the listing.
 */
export class ListingGuard {
  private place: ListingPlace | undefined;
  private pages = 0;
  private emptyPages = 0;
  /** Versions seen of the key in which we are. */
  private seenOfKey = new Set<string>();

  constructor(
    private readonly prefix: string,
    after: ListingPlace | undefined,
    private readonly bounds: ListingBounds = LISTING_BOUNDS,
  ) {
    this.place = after;
    if (after?.versionId !== undefined) this.seenOfKey.add(after.versionId);
  }

  /** Whether a listing that goes on from there is the one that is followed here. */
  isAt(place: ListingPlace | undefined): boolean {
    return place?.key === this.place?.key && place?.versionId === this.place?.versionId;
  }

  /** @throws ListingBroken */
  follow(page: ToldPage): CheckedPage {
    this.pages += 1;
    if (this.pages > this.bounds.maxPages) {
      throw new ListingBroken(`it has no end after ${this.bounds.maxPages} pages`);
    }
    if (page.entries.length > this.bounds.maxEntriesOfPage) {
      throw new ListingBroken(`a page has ${page.entries.length} entries`);
    }
    const start = this.place;
    const entries = page.entries.filter((entry) => this.isNews(entry, start));
    if (!page.isTruncated) return { entries };
    return { entries, next: entries.length > 0 ? this.after(page.next) : this.ahead(page.next) };
  }

  private isNews(entry: ListedEntry, start: ListingPlace | undefined): boolean {
    const { key, versionId } = entry;
    if (!key.startsWith(this.prefix)) throw new ListingBroken('it names keys outside of the prefix');
    const order = this.place === undefined ? 1 : compareKeys(key, this.place.key);
    if (order < 0) throw new ListingBroken('its keys are out of order');
    if (order > 0) this.seenOfKey = new Set();
    const id = versionId ?? '';
    const isStartKey = start !== undefined && key === start.key;
    if (isStartKey && (start.versionId === undefined || this.seenOfKey.has(id))) return false;
    if (this.seenOfKey.has(id)) throw new ListingBroken('it names the same version twice');
    this.seenOfKey.add(id);
    if (this.seenOfKey.size > this.bounds.maxVersionsOfKey) {
      throw new ListingBroken(`one key has more than ${this.bounds.maxVersionsOfKey} versions`);
    }
    this.place = { key, versionId };
    return true;
  }

  /** After a page that told something: a marker further on would skip what lies between, so ours stands. */
  private after(next: ListingPlace | undefined): ListingPlace {
    this.emptyPages = 0;
    const last = this.place;
    if (last === undefined) throw new ListingBroken('it promises more and does not say where');
    const order = next === undefined ? 1 : compareKeys(next.key, last.key);
    if (order < 0) throw new ListingBroken('its next page begins before this one ends');
    const told = order === 0 ? next?.versionId : undefined;
    if (told !== undefined && this.seenOfKey.has(told)) this.place = { key: last.key, versionId: told };
    return this.place ?? last;
  }

  private ahead(next: ListingPlace | undefined): ListingPlace {
    this.emptyPages += 1;
    if (this.emptyPages > this.bounds.maxEmptyPages) {
      throw new ListingBroken(`${this.emptyPages} pages in a row tell nothing and promise more`);
    }
    if (next === undefined) throw new ListingBroken('it promises more and does not say where');
    if (this.place !== undefined && compareKeys(next.key, this.place.key) <= 0) {
      throw new ListingBroken('it promises more and stays where it is');
    }
    this.seenOfKey = new Set(next.versionId === undefined ? [] : [next.versionId]);
    this.place = next;
    return next;
  }
}
