import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request to take a role on, as it arrived. */
export interface AssumeRoleCall {
  readonly parameters: Readonly<Record<string, string>>;
  /** The access key id that signed it. */
  readonly signedBy: string | undefined;
}

/** A server of STS's query protocol on loopback that lets roles be taken on with the right external id only. */
export interface StsServer {
  readonly url: string;
  readonly calls: readonly AssumeRoleCall[];
  close(): Promise<void>;
}

/** What it gives out. */
export const TEMPORARY = {
  accessKeyId: 'ASIATEMPORARY',
  secretAccessKey: ['temporary', 'secret'].join('-'),
  sessionToken: 'session-token-of-the-role',
} as const;

/** @param externalId without which (or with another) it answers AccessDenied, as a trust policy makes AWS do. */
export async function startSts(externalId: string): Promise<StsServer> {
  const calls: AssumeRoleCall[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const parameters = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString('utf8')));
      const signedBy = /Credential=([^/]+)\//.exec(request.headers.authorization ?? '')?.[1];
      calls.push({ parameters, signedBy });
      const isRight = parameters['Action'] === 'AssumeRole' && parameters['ExternalId'] === externalId;
      response.writeHead(isRight ? 200 : 403, { 'content-type': 'text/xml' });
      response.end(isRight ? granted(parameters['RoleArn'] ?? '') : DENIED);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

const DENIED = `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
  <Code>AccessDenied</Code><Message>not authorized to perform: sts:AssumeRole</Message></Error>
  <RequestId>0</RequestId></ErrorResponse>`;

const granted = (roleArn: string): string => `
  <AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
    <AssumedRoleUser><Arn>${roleArn}</Arn><AssumedRoleId>AROA:sallyport</AssumedRoleId></AssumedRoleUser>
    <Credentials><AccessKeyId>${TEMPORARY.accessKeyId}</AccessKeyId>
      <SecretAccessKey>${TEMPORARY.secretAccessKey}</SecretAccessKey>
      <SessionToken>${TEMPORARY.sessionToken}</SessionToken>
      <Expiration>${new Date(Date.now() + 900_000).toISOString()}</Expiration></Credentials>
  </AssumeRoleResult><ResponseMetadata><RequestId>0</RequestId></ResponseMetadata></AssumeRoleResponse>`;
