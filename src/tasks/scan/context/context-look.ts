import type { Finding } from '../../../verdicts/ledger.js';
import type { FindingContext } from '../../../reviews/context/finding-contexts.js';
import type { ByteSink } from '../archive/byte-sink.js';
import type { Member } from '../archive/walk.js';
import type { ObjectLook, ObjectSink } from '../look-at-object.js';
import type { SecretScan, SecretScanner } from '../secrets/finding.js';
import { KeptWindow } from './kept-window.js';
import { shownLines } from './shown-lines.js';

// Three lines of a file that people write; of longer ones as much.
const BEFORE_BYTES = 2_048;
// Behind the longest private key that is in use.
const AFTER_BYTES = 8_192;

interface Kept {
  readonly finding: Finding;
  readonly window: KeptWindow;
}

/** Contents that are not asked about go by. */
const nothing: ByteSink = {
  write: async () => undefined,
  end: async () => undefined,
  abort: () => undefined,
};

/**
 * Searches the contents that findings are in once more, whole: a key that begins before the window must be known to be one in
 * it. What cannot be searched to its end is not shown.
 */
export class ContextLook implements ObjectLook {
  readonly readsDocuments = false;
  private readonly found = new Map<Finding, FindingContext>();
  private readonly wanted = new Map<string, Finding[]>();

  constructor(
    private readonly scanner: SecretScanner,
    private readonly key: string,
    findings: readonly Finding[],
  ) {
    for (const finding of findings)
      this.wanted.set(finding.path, [...(this.wanted.get(finding.path) ?? []), finding]);
  }

  object(): ObjectSink {
    return this.sink('', () => this.scanner.open({ path: this.key }));
  }

  open({ path }: Member): ByteSink {
    return this.sink(path, () => this.scanner.open({ path, memberPath: path }));
  }

  contextOf(finding: Finding): FindingContext {
    const { fingerprint, path } = finding;
    const why = 'What it was found in was not found again.';
    return this.found.get(finding) ?? { fingerprint, path, lines: [], why };
  }

  private sink(path: string, open: () => SecretScan): ByteSink {
    // Two members may have one name: the first that has the finding is shown.
    const asked = (this.wanted.get(path) ?? []).filter(
      (finding) => (this.found.get(finding)?.lines.length ?? 0) === 0,
    );
    if (asked.length === 0) return nothing;
    const kept: Kept[] = asked.map((finding) => ({
      finding,
      window: new KeptWindow(finding.byteOffset ?? 0, BEFORE_BYTES, AFTER_BYTES),
    }));
    const scan = open();
    let offset = 0;
    return {
      write: async (chunk) => {
        for (const { window } of kept) window.take(chunk, offset);
        offset += chunk.length;
        await scan.write(chunk);
      },
      end: async () => this.take(kept, scan, offset),
      abort: () => scan.abort(),
    };
  }

  private async take(kept: readonly Kept[], scan: SecretScan, sizeBytes: number): Promise<void> {
    const { findings, truncated, notCovered } = await scan.end();
    for (const { finding, window } of kept) {
      const { fingerprint, path, line = 1 } = finding;
      const isThere = findings.some(
        (one) => one.fingerprint === fingerprint && one.location.byteOffset === window.at,
      );
      const why =
        truncated || notCovered.length > 0
          ? 'Not all secrets in it could be found to be masked, so that nothing is shown.'
          : isThere
            ? null
            : 'It is not found there any more: the rules are others than when it was scanned.';
      const lines =
        why === null
          ? shownLines(
              {
                bytes: window.bytes(),
                from: window.from,
                at: window.at,
                line,
                isCutOff: window.isCutOff(sizeBytes),
              },
              findings,
            )
          : [];
      this.found.set(finding, { fingerprint, path, lines, why });
    }
  }
}
