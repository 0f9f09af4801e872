import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forbiddenBecause, parseNetwork } from '../../src/outbound/egress/addresses.js';
import { Egress, EgressFailed, EgressRefused, EgressTooLarge } from '../../src/outbound/egress/egress.js';

describe('an address', () => {
  it.each([
    ['127.0.0.1', 'loopback'],
    ['127.9.9.9', 'loopback'],
    ['0.0.0.0', 'reserved'],
    ['0.1.2.3', 'reserved'],
    ['10.0.0.1', 'private'],
    ['172.16.0.1', 'private'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'shared'],
    ['100.100.100.200', 'metadata'],
    ['169.254.1.1', 'link_local'],
    ['169.254.169.254', 'metadata'],
    ['168.63.129.16', 'metadata'],
    ['192.0.0.192', 'metadata'],
    ['198.18.0.1', 'reserved'],
    ['224.0.0.1', 'multicast'],
    ['240.0.0.1', 'reserved'],
    ['255.255.255.255', 'reserved'],
    ['::', 'reserved'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:a9fe:a9fe', 'metadata'],
    ['::ffff:0:127.0.0.1', 'loopback'],
    ['::127.0.0.1', 'loopback'],
    ['64:ff9b::10.0.0.1', 'private'],
    ['64:ff9b::a9fe:a9fe', 'metadata'],
    ['64:ff9b:1::1', 'reserved'],
    ['2002:7f00:1::', 'loopback'],
    ['2002:a9fe:a9fe::', 'metadata'],
    ['2002:808:808::', 'reserved'],
    ['2001::1', 'reserved'],
    ['fe80::1', 'link_local'],
    ['fc00::1', 'private'],
    ['fd00:ec2::254', 'metadata'],
    ['ff02::1', 'multicast'],
    ['fe80::1%eth0', 'not_an_address'],
    ['localhost', 'not_an_address'],
  ] as const)('%s is %s', (address, reason) => {
    expect(forbiddenBecause(address)).toBe(reason);
  });

  it.each(['1.1.1.1', '93.184.216.34', '2606:4700:4700::1111', '::ffff:8.8.8.8', '64:ff9b::808:808'])(
    '%s may be called',
    (address) => {
      expect(forbiddenBecause(address)).toBeUndefined();
    },
  );

  it('in an allowed network may be called, but metadata never', () => {
    const allowed = [parseNetwork('10.2.0.0/16'), parseNetwork('169.254.0.0/16'), parseNetwork('fd00::/8')];
    expect(forbiddenBecause('10.2.3.4', allowed)).toBeUndefined();
    expect(forbiddenBecause('::ffff:10.2.3.4', allowed)).toBeUndefined();
    expect(forbiddenBecause('10.3.0.1', allowed)).toBe('private');
    expect(forbiddenBecause('169.254.169.254', allowed)).toBe('metadata');
    expect(forbiddenBecause('fd00:ec2::254', allowed)).toBe('metadata');
  });
});

describe('a call to an address that somebody named', () => {
  let server: Server;
  let port: number;
  const seen: { url: string; host: string; authorization: string | undefined }[] = [];
  const limits = { timeoutMs: 2000, maxBytes: 1000 };

  beforeAll(async () => {
    server = createServer((request, response) => {
      seen.push({
        url: request.url ?? '',
        host: request.headers.host ?? '',
        authorization: request.headers.authorization,
      });
      const path = new URL(request.url ?? '/', 'http://x').pathname;
      if (path === '/big') response.end('x'.repeat(5000));
      else if (path === '/slow') response.write('x');
      else if (path === '/loop') response.writeHead(302, { location: '/loop' }).end();
      else if (path === '/inside')
        response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data' }).end();
      else if (path === '/elsewhere')
        response.writeHead(302, { location: `http://other.example:${port}/there` }).end();
      else response.end(`hello ${path}`);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const local = parseNetwork('127.0.0.0/8');
  const toLocal = () =>
    new Egress({ allowed: [local], resolve: async () => [{ address: '127.0.0.1', family: 4 }] });
  const reasonOf = (promise: Promise<unknown>) =>
    promise.then(
      () => 'called',
      (error: unknown) => (error instanceof EgressRefused ? error.reason : error),
    );

  it('goes to the address that was checked, with the name that was asked for', async () => {
    const answer = await toLocal().fetch({ url: `http://api.example:${port}/a`, ...limits });
    expect(answer).toMatchObject({ status: 200, url: `http://api.example:${port}/a` });
    expect(answer.body.toString()).toBe('hello /a');
    expect(seen.at(-1)?.host).toBe(`api.example:${port}`);
  });

  it('is refused before anything is sent when any of the name’s addresses is inside', async () => {
    const before = seen.length;
    const egress = new Egress({
      resolve: async () => [
        { address: '93.184.216.34', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ],
    });
    expect(await reasonOf(egress.fetch({ url: `http://mixed.example:${port}/`, ...limits }))).toBe(
      'loopback',
    );
    expect(seen).toHaveLength(before);
  });

  it('resolves a name once, so that a second answer gains nothing', async () => {
    let asked = 0;
    const egress = new Egress({
      allowed: [local],
      resolve: async () => {
        asked += 1;
        return [{ address: '127.0.0.1', family: 4 }];
      },
    });
    await egress.fetch({ url: `http://rebind.example:${port}/`, ...limits });
    expect(asked).toBe(1);
  });

  it.each([
    ['http://127.0.0.1/', 'loopback'],
    ['http://0x7f.1/', 'loopback'],
    ['http://2130706433/', 'loopback'],
    ['http://[::ffff:127.0.0.1]/', 'loopback'],
    ['http://[::1]/', 'loopback'],
    ['http://169.254.169.254/', 'metadata'],
    ['file:///etc/passwd', 'scheme'],
    ['gopher://example.com/', 'scheme'],
    ['http://user:word@example.com/', 'credentials'],
    ['http://93.184.216.34:25/', 'port'],
    ['no address', 'bad_url'],
  ])('%s is refused: %s', async (url, reason) => {
    expect(await reasonOf(new Egress().fetch({ url, ...limits }))).toBe(reason);
  });

  it('checks where a redirect leads, ends loops and leaves credentials behind', async () => {
    const egress = toLocal();
    const go = (path: string) =>
      egress.fetch({
        url: `http://api.example:${port}${path}`,
        ...limits,
        maxRedirects: 3,
        headers: { authorization: 'Basic x' },
      });
    expect(await reasonOf(go('/inside'))).toBe('metadata');
    expect(await reasonOf(go('/loop'))).toBe('redirects');
    expect((await go('/elsewhere')).url).toBe(`http://other.example:${port}/there`);
    expect(seen.at(-1)).toMatchObject({ url: '/there', authorization: undefined });
  });

  it('is cut off when it is too large or too slow', async () => {
    await expect(toLocal().fetch({ url: `http://a.example:${port}/big`, ...limits })).rejects.toThrow(
      EgressTooLarge,
    );
    await expect(
      toLocal().fetch({ url: `http://a.example:${port}/slow`, ...limits, timeoutMs: 150 }),
    ).rejects.toThrow(EgressFailed);
  });
});
