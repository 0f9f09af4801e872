/* The caught mails, by whom they are addressed to. */

export interface MailHead {
  readonly id: string;
  readonly subject: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly date: string;
}

/** In the address of the page: the mails of everybody. */
export const EVERYBODY = 'everybody';

export interface Addressee {
  readonly address: string;
  readonly mails: number;
}

/** Everybody who got a mail, by address, and how many each. */
export function addressees(mails: readonly MailHead[]): readonly Addressee[] {
  const counts = new Map<string, number>();
  for (const { to } of mails)
    for (const address of new Set(to.map(small))) counts.set(address, (counts.get(address) ?? 0) + 1);
  return [...counts]
    .map(([address, count]) => ({ address, mails: count }))
    .sort((one, other) => (one.address < other.address ? -1 : 1));
}

/** Whose mails are shown: those that were chosen, else one's own where there are any, else everybody's. */
export function shownFor(
  chosen: string,
  all: readonly Addressee[],
  own: string | undefined,
): string | undefined {
  if (chosen === EVERYBODY) return undefined;
  if (chosen !== '') return small(chosen);
  return own !== undefined && all.some(({ address }) => address === small(own)) ? small(own) : undefined;
}

/** The mails to one address, or to everybody, newest first. */
export const mailsTo = (mails: readonly MailHead[], address: string | undefined): readonly MailHead[] =>
  mails
    .filter(({ to }) => address === undefined || to.some((one) => small(one) === address))
    .toSorted((one, other) => Date.parse(other.date) - Date.parse(one.date));

const small = (address: string): string => address.trim().toLowerCase();
