import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import {
  AttachmentScanner,
  type AttachedFile,
  type AttachmentVerdict,
} from '../../../reviews/attachments/attachment-scanner.js';
import { needsRandomAccess } from '../../../s3/needs-random-access.js';
import { SharedReads } from '../../../s3/shared-reads.js';
import { Spool } from '../../../s3/spool.js';
import type { Finding } from '../../../verdicts/ledger.js';
import { judge } from '../../../verdicts/verdict.js';
import { lookAtObject, type Looked, type ObjectLook } from '../look-at-object.js';
import { MalwareLook } from '../malware-look.js';
import { MalwareEngines } from '../malware/malware-engines.js';
import { maskedPath, withMaskedPaths, type Recorded } from '../masked-paths.js';
import { SecretScannerSource } from '../secret-scanner-source.js';
import { SecretsLook } from '../secrets-look.js';

const TOLD_FINDINGS = 3;

/** The scanners of uploaded objects, over bytes in memory. Nobody's baseline and no exception answers for what they find. */
@Injectable()
export class OwnAttachmentScanner extends AttachmentScanner {
  constructor(
    private readonly spool: Spool,
    private readonly secrets: SecretScannerSource,
    private readonly engines: MalwareEngines,
  ) {
    super();
  }

  shownName(name: string): Promise<string> {
    return maskedPath(this.secrets.scanner, name);
  }

  async scan(file: AttachedFile, signal: AbortSignal): Promise<AttachmentVerdict> {
    const secrets = new SecretsLook(this.secrets.scanner, file.name);
    const bySecrets = await this.look(file, secrets, signal);
    const sessions = await this.engines.begin(signal, JSON.stringify(['attachment', file.id]));
    try {
      const malware = new MalwareLook(sessions);
      const byMalware = await this.look(file, malware, signal);
      const reports = [bySecrets.report, byMalware.report];
      const { verdict, reason } = judge({ required: [], reports });
      return {
        verdict,
        reason,
        engines: reports.flatMap(({ engines }) => engines),
        found: told([...byMalware.findings, ...bySecrets.findings]),
        mayDoBetter:
          verdict === 'incomplete' && (malware.engineFailed || reason === 'malware_engine_missing'),
      };
    } finally {
      for (const session of sessions) session.close();
    }
  }

  private async look(
    file: AttachedFile,
    look: ObjectLook & { report(looked: Looked, sizeBytes: number): Recorded['report'] } & Pick<
        Recorded,
        'findings'
      >,
    signal: AbortSignal,
  ): Promise<Recorded> {
    const { name, sha256, bytes } = file;
    const object = {
      endpointId: 'attachments',
      bucket: 'reviews',
      key: name,
      eTag: sha256,
      sizeBytes: bytes.length,
    };
    const looked = await lookAtObject(object, look, {
      reads: readsOf(bytes, this.spool),
      spool: this.spool,
      signal,
    });
    return withMaskedPaths(this.secrets.scanner, {
      report: look.report(looked, bytes.length),
      findings: look.findings,
    });
  }
}

/** For one reader: it waits for no sibling, and nothing is kept for one. */
const readsOf = (bytes: Buffer, spool: Spool): SharedReads =>
  new SharedReads(
    {
      peek: async (_, count) => bytes.subarray(0, count),
      open: async (_, { from = 0 }) => {
        const rest = bytes.subarray(from);
        return { body: Readable.from([rest], { objectMode: false }), lengthBytes: rest.length };
      },
    },
    spool,
    { wantsSpool: needsRandomAccess, joinMs: 0, keepMs: 0 },
  );

/** The certain ones first. */
function told(findings: readonly Finding[]): string[] {
  const certain = findings.filter(({ confidence }) => confidence !== 'low');
  const words = certain.map(({ kind, ruleId, title, line }) =>
    kind === 'malware' ? ruleId : line === undefined ? title : `${title}, line ${line}`,
  );
  return [...new Set(words)].slice(0, TOLD_FINDINGS);
}
