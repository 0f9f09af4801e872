/** 0..99, higher first. Somebody waits for a request; uploads are what the service is for; the rest has time. */
export const PRIORITY = {
  request: 70,
  /** The shipped trigger rule's. */
  upload: 50,
  /** What a listing found that no event told us of: an upload that is late already. */
  missed: 40,
  rescan: 30,
  backfill: 10,
} as const;
