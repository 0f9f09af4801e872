import type { Config } from '../config.js';

// Enough that the scanners never wait for work: several scans are between two tasks while one is read. More of them share
// their statements; what large ones need is bounded by bytes.
const RUNNING_PER_SCANNER = 4;
const MIN_RUNNING = 128;

/** Scans that may run at once, over all nodes. */
export const maxRunningOf = (config: Pick<Config, 'SCAN_MAX_RUNNING' | 'SCAN_CONCURRENCY'>): number =>
  config.SCAN_MAX_RUNNING ?? Math.max(MIN_RUNNING, RUNNING_PER_SCANNER * config.SCAN_CONCURRENCY);
