/** Somebody who may be asked to decide. */
export interface ReviewerPerson {
  /** Id of the local user. */
  readonly personId: string;
  /** By which they log in and definitions name them; the name when absent. */
  readonly login?: string | undefined;
  readonly name: string;
  /** Absent: told in the web inbox and Slack only. */
  readonly email?: string | undefined;
  /** The groups that they are in, by name. */
  readonly groups?: readonly string[] | undefined;
  readonly isAdmin?: boolean | undefined;
  /** `mine`: they want mail only about what is theirs. */
  readonly mail?: 'mine' | undefined;
  /** The only queues in which they may decide; all of them when absent. */
  readonly queues?: readonly string[] | undefined;
}

/** The local people who may decide now (not those that are disabled). Bound to the user directory. */
export abstract class Reviewers {
  abstract list(): Promise<readonly ReviewerPerson[]>;
}

/** Somebody whom a mail asks. */
export type MailRecipient = Pick<ReviewerPerson, 'personId' | 'name'> & { readonly email: string };

/**
 * Who gets mail: everyone of these with an address, and each address of `more` that belongs to none of them (its
 * person id is `mail:<address>`). One mail per address, whatever its case.
 */
export function mailRecipients(
  people: readonly ReviewerPerson[],
  more: readonly string[],
): readonly MailRecipient[] {
  const byAddress = new Map<string, MailRecipient>();
  for (const { personId, name, email } of people) {
    if (email !== undefined && email !== '' && !byAddress.has(email.toLowerCase()))
      byAddress.set(email.toLowerCase(), { personId, name, email });
  }
  for (const email of more) {
    const key = email.toLowerCase();
    if (!byAddress.has(key)) byAddress.set(key, { personId: `mail:${key}`, name: email, email });
  }
  return [...byAddress.values()];
}
