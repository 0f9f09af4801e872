import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { NotFound } from '../errors.js';
import { Ledger, type ScanContext } from '../verdicts/ledger.js';
import { MAX_FINDINGS_SHOWN, MAX_GAPS_SHOWN, type Subject } from './rules/subject.js';
import { latestVerdict, scanEssence, worstFindings } from './sql/scan-evidence.js';

/** What the ledger knows of a scan, as people are shown it. */
export abstract class EvidenceSource {
  /** A scan that the ledger does not know gives an empty subject: the question is asked all the same. */
  abstract ofScan(scanId: string): Promise<Subject>;
  /** What a later scan of the same object says, when there is one with a verdict. */
  abstract since(scanId: string, objectId: string): Promise<Subject | undefined>;
}

/** Evidence from the ledger's tables. */
@Injectable()
export class LedgerEvidence extends EvidenceSource {
  constructor(
    private readonly db: Database,
    private readonly ledger: Ledger,
  ) {
    super();
  }

  async ofScan(scanId: string): Promise<Subject> {
    let scan: ScanContext;
    try {
      scan = await this.ledger.scan(scanId);
    } catch (error) {
      if (error instanceof NotFound) return { findings: [], findingsTotal: 0, fingerprints: [] };
      throw error;
    }
    const [findings, known] = [
      await worstFindings(this.db, scanId, MAX_FINDINGS_SHOWN),
      await scanEssence(this.db, scanId),
    ];
    return {
      object: {
        ref: scan.ref,
        objectId: scan.objectId,
        ...(scan.facts === undefined ? {} : { facts: scan.facts }),
        ...(scan.uploader === undefined ? {} : { uploader: scan.uploader }),
      },
      findings,
      findingsTotal: Math.max(known.total, findings.length),
      fingerprints: known.fingerprints,
      engines: known.engines,
      notCovered: known.notCovered.slice(0, MAX_GAPS_SHOWN),
      notCoveredTotal: known.notCovered.length,
      ...(known.bytes === undefined ? {} : { bytes: known.bytes }),
      ...(known.sha256 === undefined ? {} : { sha256: known.sha256 }),
    };
  }

  async since(scanId: string, objectId: string): Promise<Subject | undefined> {
    const latest = await latestVerdict(this.db, objectId);
    if (latest === undefined || latest.scanId === scanId) return undefined;
    return { ...(await this.ofScan(latest.scanId)), verdict: latest.verdict, reason: latest.reason };
  }
}
