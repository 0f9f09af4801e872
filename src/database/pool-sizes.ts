/** How the connections of one process are shared out among its pools. */
export interface PoolSizes {
  /** Everything that is not the engine's: intake, reviews, reports, access. */
  readonly general: number;
  /** The engine's lanes, claims and reads. */
  readonly engine: number;
  /** TypeORM's plain reads and single-row writes. */
  readonly orm: number;
}

/** Fewer than this and the parts wait for each other. */
export const MIN_POOL_SIZE = 10;
export const DEFAULT_POOL_SIZE = 26;

// Measured shares of the default, 12, 8 and 6.
const ENGINE_SHARE = 8 / 26;
const ORM_SHARE = 6 / 26;

/** Shares `total` connections (DATABASE_POOL_SIZE, at least 10) out. The one that listens comes on top. */
export function poolSizes(total: number = DEFAULT_POOL_SIZE): PoolSizes {
  const engine = Math.max(4, Math.round(total * ENGINE_SHARE));
  const orm = Math.max(2, Math.round(total * ORM_SHARE));
  return { engine, orm, general: total - engine - orm };
}
