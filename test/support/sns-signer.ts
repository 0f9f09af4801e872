import { execFileSync } from 'node:child_process';
import { createSign, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A key with its certificate, made for one test run by openssl. */
export interface Signer {
  readonly key: string;
  /** The certificate, and that of the CA that signed it. */
  readonly pem: string;
  /** Without the CA's. */
  readonly leaf: string;
}

const RSA = ['-newkey', 'rsa:2048'];

/** @param key openssl's words for another kind of key. */
export function makeSigner(commonName: string, key: readonly string[] = RSA): Signer {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-sns-'));
  const at = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { stdio: 'pipe', timeout: 30_000 });
  };
  try {
    const ca = ['-keyout', at('ca.key'), '-out', at('ca.pem'), '-subj', '/CN=CA of a test', '-days', '3'];
    openssl('req', '-x509', ...RSA, '-nodes', ...ca);
    const leaf = ['-keyout', at('key'), '-out', at('csr'), '-subj', `/CN=${commonName}`];
    openssl('req', ...key, '-nodes', ...leaf);
    writeFileSync(at('ext'), 'basicConstraints=CA:FALSE');
    const signed = ['-in', at('csr'), '-out', at('pem'), '-extfile', at('ext'), '-days', '2'];
    openssl('x509', '-req', ...signed, '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial');
    const read = (name: string): string => readFileSync(at(name), 'utf8');
    return { key: read('key'), leaf: read('pem'), pem: read('pem') + read('ca.pem') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const TOPIC = 'arn:aws:sns:us-east-1:111122223333:uploads';
export const CERTIFICATE_URL =
  'https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem';

type Fields = Readonly<Record<string, string>>;

/** A message as SNS posts it, signed; what `parts` say is in it before it is signed. */
export function snsMessage(
  signer: Pick<Signer, 'key'>,
  at: number,
  parts: Fields = {},
): Record<string, string> {
  const type = parts['Type'] ?? 'Notification';
  const token = 'token-of-this-test';
  const fields: Record<string, string> = {
    Type: type,
    MessageId: randomUUID(),
    TopicArn: TOPIC,
    Message: 'a message',
    Timestamp: new Date(at).toISOString(),
    SignatureVersion: '2',
    SigningCertURL: CERTIFICATE_URL,
    ...(type === 'Notification'
      ? { UnsubscribeURL: `https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe` }
      : {
          Token: token,
          SubscribeURL: `https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=${TOPIC}&Token=${token}`,
        }),
    ...parts,
  };
  const names =
    type === 'Notification'
      ? ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type']
      : ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'];
  const text = names
    .filter((name) => fields[name] !== undefined)
    .map((name) => `${name}\n${fields[name] ?? ''}\n`)
    .join('');
  const digest = fields['SignatureVersion'] === '1' ? 'RSA-SHA1' : 'RSA-SHA256';
  return { ...fields, Signature: createSign(digest).update(text, 'utf8').sign(signer.key, 'base64') };
}
