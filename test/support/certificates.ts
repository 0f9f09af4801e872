import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Files in PEM, made for one test by openssl. */
export interface Certificates {
  /** Of the CA that signed the server's. */
  readonly ca: string;
  /** Of a CA that signed nothing. */
  readonly strangerCa: string;
  readonly serverCertificate: string;
  readonly serverKey: string;
  remove(): void;
}

const openssl = (...args: string[]): void => {
  execFileSync('openssl', args, { stdio: 'pipe', timeout: 30_000 });
};

/** Whether certificates can be made here. A run of CI installs the program, so there a missing one is a failure. */
export const hasOpenssl = (): boolean =>
  process.env['CI'] === 'true' || spawnSync('openssl', ['version'], { timeout: 10_000 }).status === 0;

/** @param names of the server, as in DNS:localhost. @param owner may read the key. */
export function makeCertificates(names: string, owner: { uid?: number; gid?: number }): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-tls-'));
  const at = (name: string): string => join(folder, name);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  for (const ca of ['ca', 'stranger']) {
    const files = ['-keyout', at(`${ca}.key`), '-out', at(`${ca}.pem`)];
    openssl('req', '-x509', ...newKey, ...files, '-subj', `/CN=${ca} of a test`, '-days', '2');
  }
  openssl('req', ...newKey, '-keyout', at('server.key'), '-out', at('server.csr'), '-subj', '/CN=server');
  writeFileSync(at('names.cnf'), `subjectAltName=${names}`);
  openssl(
    'x509',
    '-req',
    '-in',
    at('server.csr'),
    '-out',
    at('server.pem'),
    '-days',
    '2',
    '-CA',
    at('ca.pem'),
    '-CAkey',
    at('ca.key'),
    '-CAcreateserial',
    '-extfile',
    at('names.cnf'),
  );
  const { uid, gid } = owner;
  if (uid !== undefined && gid !== undefined) {
    for (const path of [folder, at('server.key'), at('server.pem')]) chownSync(path, uid, gid);
  }
  return {
    ca: at('ca.pem'),
    strangerCa: at('stranger.pem'),
    serverCertificate: at('server.pem'),
    serverKey: at('server.key'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
