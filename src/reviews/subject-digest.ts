import { createHash } from 'node:crypto';
import { canonicalJson } from '../canonical-json.js';
import type { Policy } from './rules/policy.js';
import { essence, type Subject } from './rules/subject.js';

/** SHA-256 in hex over the canonical JSON (RFC 8785) of what a vote binds to: what was shown, and the form. */
export const subjectDigest = (subject: Subject, form?: Policy['form']): string =>
  createHash('sha256')
    .update(canonicalJson(form === undefined ? essence(subject) : { ...essence(subject), form }))
    .digest('hex');
