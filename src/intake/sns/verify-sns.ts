import { createVerify, X509Certificate } from 'node:crypto';
import type { Instant } from '../../clock.js';
import { certificateAddress, snsHostOf } from './sns-address.js';
import type { SnsCertificates } from './sns-certificates.js';
import { signedText, type SnsMessage } from './sns-message.js';

/** Why a message is not believed. */
export type Disbelief =
  'topic' | 'signature_version' | 'certificate_url' | 'timestamp' | 'certificate' | 'signature';

export interface SnsTrust {
  readonly topicArns: readonly string[];
  readonly requireV2: boolean;
  readonly certificates: SnsCertificates;
}

// SNS tries to deliver a message for an hour; one that is older is a replay.
const MAX_AGE_MS = 65 * 60_000;
const MAX_AHEAD_MS = 5 * 60_000;
const MIN_KEY_BITS = 2_048;
const DIGESTS = { '1': 'RSA-SHA1', '2': 'RSA-SHA256' } as const;

/**
 * Whether SNS itself sent the message, for a topic that is taken, not long ago. What costs least is asked first, and
 * nothing that the message names is called before it is known to be SNS's own.
 *
 * @returns why not; undefined when it did. @throws what the certificates' source throws.
 */
export async function disbelieve(
  message: SnsMessage,
  { topicArns, requireV2, certificates }: SnsTrust,
  now: Instant,
): Promise<Disbelief | undefined> {
  const { TopicArn, SignatureVersion, SigningCertURL, Timestamp, Signature } = message;
  if (!topicArns.includes(TopicArn)) return 'topic';
  if (requireV2 && SignatureVersion !== '2') return 'signature_version';
  const address = certificateAddress(SigningCertURL, TopicArn);
  if (address === undefined) return 'certificate_url';
  const at = Date.parse(Timestamp);
  if (Number.isNaN(at) || now - at > MAX_AGE_MS || at - now > MAX_AHEAD_MS) return 'timestamp';
  const certificate = usableCertificate(await certificates.fetch(address.href), TopicArn, now);
  if (certificate === undefined) return 'certificate';
  const verify = createVerify(DIGESTS[SignatureVersion]).update(signedText(message), 'utf8');
  return verify.verify(certificate.publicKey, Signature, 'base64') ? undefined : 'signature';
}

/** The first certificate, if it is SNS's, valid now, strong, and signed by those that come with it. */
function usableCertificate(pem: string, topicArn: string, now: Instant): X509Certificate | undefined {
  const chain = certificatesIn(pem);
  const [leaf] = chain;
  if (leaf === undefined || leaf.ca) return undefined;
  const isValid = chain.every(
    ({ validFrom, validTo }) => Date.parse(validFrom) <= now && now <= Date.parse(validTo),
  );
  const isLinked = chain.slice(1).every((issuer, index) => {
    const issued = chain[index];
    return issued?.checkIssued(issuer) === true && issued.verify(issuer.publicKey);
  });
  // SNS's certificates are for its regional names or for its name without a region.
  const names = [snsHostOf(topicArn) ?? '', 'sns.amazonaws.com'];
  const isSns = names.some((name) => leaf.checkHost(name, { subject: 'default' }) !== undefined);
  const { asymmetricKeyType, asymmetricKeyDetails } = leaf.publicKey;
  const isStrong = asymmetricKeyType === 'rsa' && (asymmetricKeyDetails?.modulusLength ?? 0) >= MIN_KEY_BITS;
  return isValid && isLinked && isSns && isStrong ? leaf : undefined;
}

const MAX_CHAIN = 5;

function certificatesIn(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length > MAX_CHAIN) return [];
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    // What cannot be read vouches for nobody.
    return [];
  }
}
