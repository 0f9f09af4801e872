import type { ObjectStorage } from '../s3/object-storage.js';

/** Checkpoints that former lives had kept elsewhere, of events that the backup does not have. */
export interface AnchorsBeyond {
  readonly count: number;
  /** The longest of those lives: how many events it had at least, and when. */
  readonly last?: { readonly events: number; readonly at: string } | undefined;
}

// Those of a life that began with a restore lie in a folder of its own.
const CHECKPOINT = /^(?:restored-[0-9a-f-]{36}\/)?(\d{12})\.json$/;

/** Lists what stands in AUDIT_BUCKET behind the fork, whichever life put it there. */
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
      const events = Number(CHECKPOINT.exec(key.slice(prefix.length))?.[1] ?? 0);
      if (events <= forkSeq) continue;
      count += 1;
      if (events > (last?.events ?? 0)) last = { events, at: lastModified };
    }
    after = page.nextAfter;
  }
  return { count, last };
}
