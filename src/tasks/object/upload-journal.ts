import type { UploadJournal } from '../../s3/copy-request.js';
import type { MoveParts } from './move-in.js';
import { forgetUpload, rememberUpload, resumeUpload, type CopyUpload } from './sql/copy-uploads.js';
import { appendStep } from './sql/object-steps.js';

/** Keeps one move's copy in parts in the database, and tells its steps in the ledger. */
export function uploadJournal(
  { db, clock }: Pick<MoveParts, 'db' | 'clock'>,
  copy: Omit<CopyUpload, 'uploadId'>,
): UploadJournal {
  const { scanId, move } = copy;
  return {
    // A place in quarantine is reserved for one scan; at a user's key others may be uploading.
    ownsKey: move === 'quarantine',
    find: () => resumeUpload(db, scanId, move, clock.now()),
    began: (uploadId) =>
      db.transaction(async (tx) => {
        const at = clock.now();
        await rememberUpload(tx, { ...copy, uploadId }, at);
        await appendStep(tx, { scanId, move, step: 'upload_started', data: { uploadId }, at });
      }),
    ended: (uploadId) =>
      db.transaction(async (tx) => {
        await forgetUpload(tx, { scanId, move, uploadId });
        await appendStep(tx, { scanId, move, step: 'upload_aborted', data: { uploadId }, at: clock.now() });
      }),
  };
}
