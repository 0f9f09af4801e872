/*
 * Search by the beginnings of words. Names of objects are paths, and PostgreSQL's parser takes a path for one word:
 * punctuation divides words here, in what is indexed and in what is asked alike.
 */

const PUNCTUATION = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~';
const MAX_WORDS = 10;

/** The words of a text column, as the indexes review_words and review_comment_words have them. */
const words = (of: string): string =>
  `to_tsvector('simple'::regconfig, translate(${of}, '${PUNCTUATION.replaceAll("'", "''")}', '${' '.repeat(PUNCTUATION.length)}'))`;

const REVIEW_WORDS = words(
  `title || ' ' || coalesce(subject #>> '{object,ref,bucket}', '') || ' ' || coalesce(subject #>> '{object,ref,key}', '')`,
);
const COMMENT_WORDS = words('text');

/** A condition on `review`. @param hole of what {@link searchQuery} made. */
export const matches = (hole: string): string =>
  `review.id IN (SELECT id FROM review WHERE ${REVIEW_WORDS} @@ to_tsquery('simple', ${hole})
    UNION SELECT review_id FROM review_comment WHERE ${COMMENT_WORDS} @@ to_tsquery('simple', ${hole}))`;

/** What somebody typed, for to_tsquery: every word must be there, each by its beginning. Undefined when there is none. */
export function searchQuery(typed: string): string | undefined {
  const found = typed
    .toLowerCase()
    // The same signs as above, written as ranges.
    .split(/[\s!-/:-@[-`{-~]+/)
    // PostgreSQL has no word for what is neither letter nor digit, and would say that everything has it.
    .filter((word) => /[\p{L}\p{N}]/u.test(word))
    .slice(0, MAX_WORDS);
  return found.length === 0 ? undefined : found.map((word) => `'${word}':*`).join(' & ');
}
