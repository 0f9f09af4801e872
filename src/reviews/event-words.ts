// Where the name of an event is another word than the one that people read on the button.
const WORDS: Readonly<Record<string, string>> = {
  released: 'given back',
  given_back: 'given back after a long silence',
  held: 'put on hold',
  asked: 'asked back',
  withdrawn: 'vote taken back',
  postponed: 'deadline moved',
  slack_failed: 'not shown in Slack',
};

/** What happened to a review, for people: `deadline moved`. An object is released; a claim is given back. */
export const eventWords = (kind: string): string =>
  Object.hasOwn(WORDS, kind) ? (WORDS[kind] ?? '') : kind.replaceAll('_', ' ');
