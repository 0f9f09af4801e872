import { AppError } from '../../errors.js';

/** The journal is broken in its middle. The endpoint does not start, so that nothing is silently lost. */
export class JournalDamaged extends AppError {
  readonly code = 'S3_JOURNAL_DAMAGED';
  readonly status = 500;

  constructor(
    readonly path: string,
    readonly offset: number,
  ) {
    super(
      `The journal ${path} is damaged at byte ${offset}, with more after it. Restore the directory from a backup, or move it away to start empty.`,
    );
  }
}

/** Nothing can be written any more: the endpoint is closing, or the disk refused a sync. */
export class JournalUnusable extends AppError {
  readonly code = 'S3_JOURNAL_UNUSABLE';
  readonly status = 503;
}

/** Another live process serves this directory. */
export class DirectoryInUse extends AppError {
  readonly code = 'S3_DIRECTORY_IN_USE';
  readonly status = 500;

  constructor(directory: string, pid: number) {
    super(`${directory} is in use by process ${pid}. Stop it, or choose another directory.`);
  }
}

/** The address cannot be listened on. */
export class AddressUnusable extends AppError {
  readonly code = 'S3_ADDRESS_UNUSABLE';
  readonly status = 500;
}
