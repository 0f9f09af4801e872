// A batch that was wrong costs one transaction more; each right one saves a turn, some tenths of it.
const FIRST = 16;
const MOST = 1_024;

/**
 * Whether a batch goes by what the process knows. After each time that it was not so, a while is spent the sure way:
 * twice as long as after the time before, until it is right again.
 */
export class Trust {
  private penalty = FIRST;
  private left = 0;

  /** Asked once for each batch that could go either way. */
  holds(): boolean {
    if (this.left > 0) {
      this.left -= 1;
      return false;
    }
    this.penalty = Math.max(FIRST, this.penalty - 1);
    return true;
  }

  /** It was not as assumed. */
  betrayed(): void {
    this.left = this.penalty;
    this.penalty = Math.min(MOST, this.penalty * 2);
  }
}
