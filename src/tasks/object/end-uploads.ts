import { StorageError } from '../../s3/storage-error.js';
import type { MoveParts } from './move-in.js';
import { abandonedUploads, type CopyUpload } from './sql/copy-uploads.js';
import { uploadJournal } from './upload-journal.js';

// A copy in parts touches its row at every attempt, and attempts follow each other within minutes.
const ABANDONED_MS = 24 * 3_600_000;

/** Aborts uploads, each with its step in the ledger. One that S3 does not end now stays for the next turn. */
export async function endUploads(parts: MoveParts, uploads: readonly CopyUpload[]): Promise<number> {
  let ended = 0;
  for (const upload of uploads) {
    try {
      await parts.storage.abortUpload(upload);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      continue;
    }
    await uploadJournal(parts, upload).ended(upload.uploadId);
    ended += 1;
  }
  return ended;
}

/** Aborts what was begun by workflows that are over since: its parts would be billed for ever. @returns how many. */
export async function endAbandonedUploads(parts: MoveParts): Promise<number> {
  return endUploads(parts, await abandonedUploads(parts.db, parts.clock.now() - ABANDONED_MS));
}
