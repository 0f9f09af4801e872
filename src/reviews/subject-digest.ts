import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical-json.js';
import { essence, type Subject } from './rules/subject.js';

/** SHA-256 in hex over the canonical JSON (RFC 8785) of what a vote binds to. */
export const subjectDigest = (subject: Subject): string =>
  createHash('sha256')
    .update(canonicalJson(essence(subject)))
    .digest('hex');
