/**
 * What is worth counting and no commit tells: plain numbers since the start of the process, raised in place by whoever
 * sees it happen and read when somebody asks.
 */
export class Tally {
  /** Calls of clients that the full queue turned away. */
  refusedStarts = 0;
  refusedUpdates = 0;
  /** Reports of workers outside about attempts that had ended or were held by somebody else. */
  lateReports = 0;
  /** The same of runs in this process. */
  lateRuns = 0;
  /** Runs of this process that were stopped because their lease had gone to somebody else. */
  lostRuns = 0;
  /** Leases without a run behind them, which were handed back. */
  forgottenLeases = 0;
  /** Process runs of peers that died and whose leases this process handed back. */
  deadNodes = 0;
}
