import type { Queryable } from '../../../../database/queryable.js';
import { findComment } from '../../../sql/comments.js';
import { saidVersion } from '../sql/said-comments.js';
import { REMOVED } from './reply-text.js';
import { commentLine, removedLine } from './thread-line.js';

/** A line as it is said now. */
export interface LineNow {
  readonly kind: 'line';
  readonly text: string;
  /** Of the comment that it tells of. */
  readonly version?: number | undefined;
}

/** Nothing of it is said any more. */
export interface NothingToSay {
  readonly kind: 'nothing';
  readonly reason: string;
}

/**
 * What a line says now. A comment's is made here, so that what was taken out of it is said by no line that waited; however
 * often it changed meanwhile, the thread is told once how it reads.
 */
export async function lineNow(
  db: Queryable,
  line: {
    readonly kind: string;
    readonly reviewId: string;
    readonly text?: string | undefined;
    readonly commentId?: string | undefined;
    /** It was written in Slack. */
    readonly isReply: boolean;
  },
): Promise<LineNow | NothingToSay> {
  const { kind, reviewId, commentId, text, isReply } = line;
  if (commentId === undefined)
    return text === undefined ? nothing('it is not known what it says') : { kind: 'line', text };
  const comment = await findComment(db, reviewId, commentId);
  if (comment === undefined) return nothing('the comment is gone');
  const { version } = comment;
  const told = await saidVersion(db, commentId);
  if (kind === 'comment_edited' && told !== undefined && told >= version)
    return nothing('an earlier line says how the comment reads');
  if (!isReply || comment.text !== REMOVED)
    return { kind: 'line', text: commentLine(kind, comment), version };
  // Whoever read it there learns that it is taken back.
  return kind === 'commented' || told === undefined
    ? nothing('the comment was removed')
    : { kind: 'line', text: removedLine(comment), version };
}

const nothing = (reason: string): NothingToSay => ({ kind: 'nothing', reason });
