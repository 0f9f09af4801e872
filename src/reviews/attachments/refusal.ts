import { CLEAN_VERDICTS } from '../../verdicts/verdict.js';
import type { AttachmentVerdict } from './attachment-scanner.js';

type Judged = Pick<AttachmentVerdict, 'verdict' | 'reason' | 'found'>;

const NO_ENGINE: Readonly<Record<string, string>> = {
  malware_engine_missing:
    'No malware engine with signatures was there to look at it. When one is (clamd), attach it again.',
  malware_database_unknown:
    'The malware engine has no official signatures, so that its silence says nothing. When it has, attach it again.',
};

/** Why a file is not taken, as a sentence with what to do; undefined when it is clean. Pure. */
export function refusalOf({ verdict, reason, found }: Judged): string | undefined {
  const what = found.length === 0 ? '' : ` (${found.join('; ')})`;
  // Only what all scanners looked at whole: one kind alone vouches for nothing here.
  if (verdict === CLEAN_VERDICTS[0]) return undefined;
  switch (verdict) {
    case 'infected':
      return `It is malware${what}.`;
    case 'secrets':
      return `A secret stands in it${what}. Attach it without.`;
    case 'suspicious':
      return `It looks like malware${what}.`;
    case 'encrypted':
      return 'Something in it is encrypted, so that nobody could look at it. Attach it without a password.';
    case 'unsupported':
      return 'It has a format that cannot be looked into whole. Attach it in another.';
    default:
      return (
        NO_ENGINE[reason] ??
        `It could not be looked at whole (${(reason === '' ? verdict : reason).replaceAll('_', ' ')}). Attach it again, or less of it.`
      );
  }
}
