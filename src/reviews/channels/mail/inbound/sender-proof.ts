import type { DKIMResult } from 'mailauth';
/** Looks a name up in DNS, as `dns.promises.resolve` does. */
export type DnsLookup = (name: string, type: string) => Promise<unknown>;

/** Whether a mail is proved to come from the domain of its From. */
export type SenderProof =
  | { readonly kind: 'proved'; readonly address: string }
  | { readonly kind: 'unproved'; readonly why: string }
  /** DNS did not answer; the mail may come again. */
  | { readonly kind: 'unknown' };

/** One header as it stands in the mail. */
export interface HeaderLine {
  /** In lower case. */
  readonly key: string;
  readonly line: string;
}

// Each signature costs a look-up in DNS; honest mail carries two or three.
const MOST_SIGNATURES = 8;

/** With what the library tells and its types leave out. */
type Checked = DKIMResult & {
  readonly algo?: string;
  /** Of the headers that are signed, those that are there. */
  readonly signingHeaders?: { readonly keys: string };
};

const unproved = (why: string): SenderProof => ({ kind: 'unproved', why });

/**
 * DMARC (RFC 7489) by signatures: the domain in From publishes a policy, and a DKIM signature of that domain covers the
 * whole mail. SPF says nothing here, since the mail comes from our own mail server and not from the sender's.
 */
export async function proveBySignature(
  raw: Buffer,
  headers: readonly HeaderLine[],
  lookup: DnsLookup,
): Promise<SenderProof> {
  const count = (name: string): number => headers.filter(({ key }) => key === name).length;
  if (count('from') !== 1) return unproved('it must have exactly one From');
  if (count('dkim-signature') === 0) return unproved('it carries no DKIM signature');
  if (count('dkim-signature') > MOST_SIGNATURES) return unproved('it carries too many DKIM signatures');
  // Eleven megabytes that a service which takes no mail does without.
  const { dkimVerify } = await import('mailauth/lib/dkim/verify.js');
  const { dmarc } = await import('mailauth/lib/dmarc/index.js');
  const checked = await dkimVerify(raw, { resolver: lookup as never, minBitLength: 1024 });
  const [address, ...more] = checked.headerFrom;
  if (address === undefined || more.length > 0) return unproved('it must have exactly one sender in From');
  const results: readonly Checked[] = checked.results;
  // RFC 6376 and 8301: one that leaves From out says nothing of the sender, and SHA-1 can be made to fit another mail.
  const passed = results.filter(
    ({ status, algo = '', signingHeaders }) =>
      status.result === 'pass' &&
      algo.toLowerCase() !== 'rsa-sha1' &&
      /(^|:)\s*from\s*(:|$)/i.test(signingHeaders?.keys ?? ''),
  );
  // A signature over a part (`l=`) says nothing of what was added below it.
  const whole = passed.filter(({ status }) => Number(status.underSized ?? 0) === 0);
  const verdict = await dmarc({
    headerFrom: address,
    spfDomains: [],
    dkimDomains: whole.map(({ signingDomain }) => ({ domain: signingDomain })),
    resolver: lookup as never,
  });
  const result = verdict === false ? 'none' : verdict.status.result;
  if (result === 'pass') return { kind: 'proved', address: address.toLowerCase() };
  if (result === 'temperror' || checked.results.some(({ status }) => status.result === 'temperror'))
    return { kind: 'unknown' };
  if (result === 'none') return unproved('its domain publishes no DMARC policy');
  if (passed.length > whole.length) return unproved('its DKIM signature covers only a part of it');
  return unproved('no DKIM signature of its domain holds');
}

/**
 * DMARC as our own mail server found it. Its Authentication-Results (RFC 8601) stands above whatever the sender wrote,
 * so only the uppermost one of that name counts.
 */
export function proveByHeader(headers: readonly HeaderLine[], authservId: string): SenderProof {
  const [address, ...more] = headers
    .filter(({ key }) => key === 'from')
    .flatMap(({ line }) => addressesIn(unfolded(line)));
  if (address === undefined || more.length > 0 || address.includes('"'))
    return unproved('it must have exactly one sender in From');
  const said = headers
    .filter(({ key }) => key === 'authentication-results')
    .map(({ line }) => bare(unfolded(line), (quoted) => quoted.replaceAll(/[^a-z0-9.-]/gi, '')))
    .find((value) => (/^[^\s;]+/.exec(value)?.[0] ?? '').toLowerCase() === authservId);
  if (said === undefined) return unproved(`it carries no Authentication-Results of ${authservId}`);
  // Other results repeat what the sender wrote: two that speak of DMARC tell that one is theirs.
  const [method = '', ...others] = said.split(';').filter((part) => /^\s*dmarc\s*=/i.test(part));
  if (others.length > 0) return unproved('its Authentication-Results speak of DMARC twice');
  const result = /^\s*dmarc\s*=\s*([a-z]+)/i.exec(method)?.[1]?.toLowerCase();
  if (result === 'temperror') return { kind: 'unknown' };
  const of = /\bheader\.from\s*=\s*([a-z0-9.-]+)/i.exec(method)?.[1]?.toLowerCase();
  const domain = address.slice(address.lastIndexOf('@') + 1);
  const isOfSender = of === undefined || domain === of || domain.endsWith(`.${of}`);
  return result === 'pass' && isOfSender ? { kind: 'proved', address } : unproved('DMARC did not pass');
}

const unfolded = (line: string): string =>
  line
    .slice(line.indexOf(':') + 1)
    .replaceAll(/\r?\n[ \t]+/g, ' ')
    .trim();

/**
 * Without comments, and with what `inQuotes` makes of the words in quotes: both may hold anything. They are read from the left
 * as one, since each may hold the signs of the other; one that never ends takes the rest with it.
 */
function bare(text: string, inQuotes: (words: string) => string): string {
  let left = '';
  let depth = 0;
  let quoted: string | undefined;
  for (let at = 0; at < text.length; at++) {
    const sign = text.charAt(at);
    const isEscape = sign === '\\' && (quoted !== undefined || depth > 0);
    if (isEscape) at++;
    else if (quoted !== undefined) {
      if (sign !== '"') quoted += sign;
      else {
        left += inQuotes(quoted);
        quoted = undefined;
      }
    } else if (sign === '(') depth++;
    else if (sign === ')' && depth > 0) {
      depth--;
      left += ' ';
    } else if (depth > 0) continue;
    else if (sign === '"') quoted = '';
    else left += sign;
  }
  return left;
}

// One quote stays of words in quotes: an address that has some is told by it.
const addressesIn = (value: string): string[] =>
  [...bare(value, () => '"').matchAll(/[^\s<>,;@]+@[a-z0-9.-]+/gi)].map(([address]) => address.toLowerCase());
