// A bucket has 50 at most; each costs WinZip's encryption a millisecond.
const MOST_TRIES = 1000;

/** The passwords to try on one object. Those that fitted come first: an archive has mostly one. */
export class Passwords {
  private list: Buffer[] | undefined;
  private readonly proven = new Set<Buffer>();
  private tries = 0;

  /** @param read decrypts them; called when the first encrypted member is met */
  constructor(private readonly read: () => readonly string[]) {}

  /** Ends early once too many were tried. */
  *candidates(): Generator<Buffer, void> {
    // Older programs wrote one byte a letter.
    this.list ??= this.read().flatMap((text) => {
      const [now, then] = [Buffer.from(text), Buffer.from(text, 'latin1')];
      return now.equals(then) ? [now] : [now, then];
    });
    for (const password of this.list) {
      this.tries += 1;
      if (this.tries > MOST_TRIES && !this.proven.has(password)) return;
      yield password;
    }
  }

  isProven(password: Buffer): boolean {
    return this.proven.has(password);
  }

  prove(password: Buffer): void {
    if (this.proven.has(password)) return;
    this.proven.add(password);
    this.list = [password, ...(this.list ?? []).filter((other) => other !== password)];
  }
}
