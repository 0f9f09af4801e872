/**
 * Which facts of events say something of a person: names, addresses, accounts elsewhere, and what people wrote. They are
 * kept beside the event, from where they can be erased. Ids as `user:…` stay in the event: whoever looks for a deed finds
 * it, and nothing outside the service says whose they are once the account's own facts are gone.
 *
 * By family or whole action, the whole action first. Reasons that are codes, as a verdict's, are nobody's words.
 */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  absence: ['from', 'to', 'substitute', 'note'],
  baseline: ['reason'],
  exception: ['reason'],
  mail: ['address'],
  object: ['reason'],
  queue: ['reason'],
  remedy: ['note'],
  // What a mail server answered names the address, as a rule.
  review: ['answer', 'email', 'form', 'note', 'question', 'reason', 'server', 'text'],
  review_batch: ['form', 'note', 'question', 'reason', 'text'],
  scan: ['reason'],
  session: ['address'],
  slack: ['slackUserId', 'slackUserName'],
  uploader_identity: ['note', 'principal', 'target'],
  user: ['displayName', 'email', 'name', 'subject'],
  workflow: ['reason'],
};

/** Fields of the events of an action. */
export function personalFields(action: string): readonly string[] {
  const family = action.slice(0, action.indexOf('.'));
  return FIELDS[action] ?? FIELDS[family] ?? [];
}

/** Whom such facts of an event are about: its subject where that is somebody, and whoever did it otherwise. */
export const personOf = ({ actor, subject }: { readonly actor: string; readonly subject: string }): string =>
  /^(?:user|mail|login):/.test(subject) ? subject : actor;
