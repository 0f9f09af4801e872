import type { ObjectStorage } from '../s3/object-storage.js';

/** Checkpoints that a former life had kept elsewhere, of events that the backup does not have. */
export interface AnchorsBeyond {
  readonly count: number;
  /** How many events that life had at least, and when. */
  readonly last?: { readonly events: number; readonly at: string } | undefined;
}

const CHECKPOINT = /^(\d{12})\.json$/;

/** Lists what stands in AUDIT_BUCKET behind the fork. */
export async function anchorsBeyond(
  storage: ObjectStorage,
  place: { readonly endpointId: string; readonly bucket: string },
  { chain, forkSeq }: { readonly chain: string; readonly forkSeq: number },
): Promise<AnchorsBeyond> {
  const prefix = `audit/${chain}/`;
  let after: string | undefined = `${prefix}${String(forkSeq).padStart(12, '0')}.json`;
  let count = 0;
  let last: AnchorsBeyond['last'];
  while (after !== undefined) {
    const page: Awaited<ReturnType<ObjectStorage['list']>> = await storage.list(place, { prefix, after });
    for (const { key, lastModified } of page.items) {
      // Those of a restored life lie in folders of their own.
      const events = CHECKPOINT.exec(key.slice(prefix.length))?.[1];
      if (events === undefined) continue;
      count += 1;
      last = { events: Number(events), at: lastModified };
    }
    after = page.nextAfter;
  }
  return { count, last };
}
