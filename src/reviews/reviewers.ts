/** Somebody who may be asked to decide. */
export interface ReviewerPerson {
  /** Id of the local user. */
  readonly personId: string;
  readonly name: string;
  /** Absent: told in the web inbox and Slack only. */
  readonly email?: string | undefined;
}

/** The local people who may decide now (analysts and admins that are not disabled). Bound to the user directory. */
export abstract class Reviewers {
  abstract list(): Promise<readonly ReviewerPerson[]>;
}

/**
 * Who gets mail: every reviewer with an address, and each address of REVIEW_TO that belongs to none of them (its
 * person id is `mail:<address>`). One mail per address, whatever its case.
 */
export function mailRecipients(
  people: readonly ReviewerPerson[],
  reviewTo: readonly string[],
): readonly Required<ReviewerPerson & { email: string }>[] {
  const byAddress = new Map<string, { personId: string; name: string; email: string }>();
  for (const { personId, name, email } of people) {
    if (email !== undefined && email !== '' && !byAddress.has(email.toLowerCase()))
      byAddress.set(email.toLowerCase(), { personId, name, email });
  }
  for (const email of reviewTo) {
    const key = email.toLowerCase();
    if (!byAddress.has(key)) byAddress.set(key, { personId: `mail:${key}`, name: email, email });
  }
  return [...byAddress.values()];
}
