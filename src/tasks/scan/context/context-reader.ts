import { Inject, Injectable } from '@nestjs/common';
import { LOG, type Log } from '../../../ops/log.js';
import { Overloaded } from '../../../errors.js';
import { ObjectBytes } from '../../../reviews/bytes/object-bytes.js';
import {
  FindingContexts,
  type ContextQuestion,
  type ContextState,
  type FindingContextAnswer,
} from '../../../reviews/context/finding-contexts.js';
import { BucketsService } from '../../../s3/registry/buckets.service.js';
import { SharedReads } from '../../../s3/shared-reads.js';
import { Spool } from '../../../s3/spool.js';
import { StorageError } from '../../../s3/storage-error.js';
import { lookAtObject } from '../look-at-object.js';
import { SecretScannerSource } from '../secret-scanner-source.js';
import { ContextLook } from './context-look.js';

/** A page waits for it, and scans of uploads wait for the same scanner. */
const MAX_BYTES = 64 * 1024 ** 2;
const MAX_AT_ONCE = 2;
const TIME_MS = 30_000;

/** Reads the scanned version again, from quarantine or from where it was uploaded. */
@Injectable()
export class ContextReader extends FindingContexts {
  private reading = 0;

  constructor(
    private readonly bytes: ObjectBytes,
    private readonly reads: SharedReads,
    private readonly spool: Spool,
    @Inject(BucketsService) private readonly buckets: Pick<BucketsService, 'archivePasswords'>,
    private readonly scanner: SecretScannerSource,
    @Inject(LOG) private readonly log: Log,
  ) {
    super();
  }

  async around(question: ContextQuestion, signal: AbortSignal): Promise<FindingContextAnswer> {
    const findings = question.findings.filter(
      ({ kind, byteOffset, line }) => kind === 'secret' && byteOffset !== undefined && line !== undefined,
    );
    if (findings.length === 0) return notShown('none', null, 'Nothing was found that has a place in text.');
    const located = await this.bytes.locate(question.scanId);
    if (located.kind === 'gone') return notShown('gone', null, located.why);
    const { where, object } = located;
    if (object.sizeBytes > MAX_BYTES)
      return notShown(
        'too_large',
        where,
        `Objects above ${MAX_BYTES / 1024 ** 2} MiB are not read again for this.`,
      );
    if (this.reading >= MAX_AT_ONCE)
      throw new Overloaded(
        'The lines around findings are being read for others. Try again in a few seconds.',
        5,
      );
    this.reading += 1;
    try {
      const look = new ContextLook(this.scanner.scanner, located.uploadedAs, findings);
      const { sha256 } = await lookAtObject(object, look, {
        reads: this.reads,
        spool: this.spool,
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIME_MS)]),
        passwords: () => this.buckets.archivePasswords(object.endpointId, object.bucket),
        uploadedAs: located.uploadedAs,
      });
      if (question.sha256 !== undefined && question.sha256 !== sha256)
        return notShown('changed', where, 'Other bytes stand there than were scanned.');
      return {
        state: 'shown',
        readFrom: where,
        detail: null,
        items: findings.map((one) => look.contextOf(one)),
      };
    } catch (error) {
      signal.throwIfAborted();
      return this.failed(question, where, error);
    } finally {
      this.reading -= 1;
    }
  }

  private failed(
    { scanId }: ContextQuestion,
    where: 'quarantine' | 'bucket',
    error: unknown,
  ): FindingContextAnswer {
    if (error instanceof StorageError) {
      if (error.outcome === 'gone')
        return notShown('gone', where, 'The version that was scanned is not there any more.');
      if (error.outcome === 'superseded')
        return notShown('changed', where, 'Another object stands there than was scanned.');
      return notShown('unreadable', where, `It cannot be read now: ${error.detail}.`);
    }
    this.log.warn({ err: error, scanId }, 'the lines around findings could not be read');
    return notShown('unreadable', where, 'It could not be searched again in time.');
  }
}

const notShown = (
  state: Exclude<ContextState, 'shown'>,
  readFrom: 'quarantine' | 'bucket' | null,
  detail: string,
): FindingContextAnswer => ({ state, readFrom, detail, items: [] });
