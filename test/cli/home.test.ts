import {
  chmodSync,
  chownSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CommandError } from '../../src/cli/command-error.js';
import { run } from '../../src/cli/run.js';
import { HOME_PROOF_PATH, HomeDoor, homeProof } from '../../src/embedded/home-address.js';

const SECRET = 'the-home';
const KEY = `Basic ${Buffer.from(`key-of:${SECRET}`).toString('base64')}`;

describe('the key of a home', () => {
  let home: string;
  let closers: (() => void)[];
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'sallyport-cli-home-'));
    const apiKey = { keyId: 'key-of', keySecret: SECRET };
    writeFileSync(join(home, 'credentials.json'), JSON.stringify({ apiKey }));
    closers = [];
  });
  afterEach(() => {
    for (const close of closers) close();
    rmSync(home, { recursive: true });
  });

  interface Listening {
    readonly url: string;
    readonly port: number;
    readonly bound: AddressInfo;
    /** The Authorization headers that came. */
    readonly keys: (string | undefined)[];
    readonly close: () => Promise<void>;
  }

  async function listening(
    answer: (request: IncomingMessage) => unknown,
    { host = '127.0.0.1', port = 0 } = {},
  ): Promise<Listening> {
    const keys: (string | undefined)[] = [];
    const serve: RequestListener = (request, response) => {
      keys.push(request.headers.authorization);
      const body = answer(request);
      response
        .writeHead(body === undefined ? 401 : 200, {
          'content-type': 'application/json',
          'sallyport-api': 'v1',
        })
        .end(JSON.stringify(body ?? {}));
    };
    const server = createServer(serve);
    await new Promise<void>((resolve) => server.listen(port, host, resolve));
    const close = (): Promise<void> =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      });
    closers.push(() => void close());
    const bound = server.address() as AddressInfo;
    return { url: `http://${host}:${bound.port}`, port: bound.port, bound, keys, close };
  }

  /** A service that keeps this home, as far as its address goes. */
  async function service(at: { host?: string; port?: number } = {}): Promise<Listening> {
    const door = new HomeDoor(home);
    const there = await listening((request) => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
      if (pathname === HOME_PROOF_PATH) return { proof: door.prove(searchParams.get('nonce') ?? '') };
      return { items: [] };
    }, at);
    door.open(there.bound, '127.0.0.1', SECRET);
    return there;
  }

  const list = (env: Record<string, string> = {}): Promise<number> =>
    run(
      ['objects', 'list'],
      { SALLYPORT_HOME: home, ...env },
      { out: () => undefined, note: () => undefined, style: { colour: false } },
    );
  const failure = async (env: Record<string, string> = {}): Promise<string> => {
    const failed: unknown = await list(env).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(CommandError);
    return (failed as Error).message;
  };

  test('goes to the service that wrote its address there, on whichever port', async () => {
    const { keys } = await service();
    expect(await list()).toBe(0);
    expect(keys).toEqual([undefined, KEY]);
  });

  test('goes there also when SALLYPORT_URL says the same, in another spelling of loopback', async () => {
    const { port, keys } = await service();
    for (const host of ['127.0.0.1', 'localhost', '[::1]']) {
      expect(await list({ SALLYPORT_URL: `http://${host}:${port}/` })).toBe(0);
    }
    expect(keys.filter((key) => key === KEY)).toHaveLength(3);
  });

  test('goes to no other address, and what is missing is said', async () => {
    const own = await service();
    const other = await listening(() => undefined);
    expect(await failure({ SALLYPORT_URL: other.url })).toBe(
      `${other.url} wants a key. Set SALLYPORT_API_KEY=keyId:keySecret, for the key in ${home} is sent only to the service of that folder, at ${own.url}.`,
    );
    expect(other.keys).toEqual([undefined]);
  });

  test('goes to no program that took the port of a service that was killed', async () => {
    const killed = await service();
    await killed.close();
    expect(await failure()).toMatch(/does not answer .*Start the service there, or set SALLYPORT_URL/);
    const thief = await listening(() => ({ items: [], proof: 'x'.repeat(43) }), { port: killed.port });
    expect(await failure()).toBe(
      `What answers at ${killed.url} is not the service of ${home}, so no key was sent there. Start that service, or set SALLYPORT_URL and SALLYPORT_API_KEY.`,
    );
    expect(await failure({ SALLYPORT_API_KEY: 'a:b' })).toMatch(/no key was sent there/);
    expect(thief.keys).toEqual([undefined, undefined]);
  });

  test('goes to no program on the old port that has the service on its new one answer for it', async () => {
    const killed = await service();
    await killed.close();
    const old = readFileSync(join(home, 'address.json'), 'utf8');
    const moved = await service();
    // The moment between listening and the file.
    writeFileSync(join(home, 'address.json'), old);
    const proofs: unknown[] = [];
    const relay = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const answer = await fetch(moved.url + (request.url ?? ''));
      const text = await answer.text();
      proofs.push(JSON.parse(text));
      response.writeHead(answer.status, { 'sallyport-api': 'v1' }).end(text);
    };
    const thief = createServer((request, response) => void relay(request, response));
    await new Promise<void>((resolve) => thief.listen(killed.port, '127.0.0.1', resolve));
    closers.push(() => thief.close());
    expect(await failure()).toMatch(/no key was sent there/);
    expect(proofs).toEqual([{ proof: expect.any(String) as unknown }]);
  });

  test('goes to the service that is there again, on the same port or on another', async () => {
    const first = await service();
    await first.close();
    const again = await service({ port: first.port });
    expect(await list()).toBe(0);
    await again.close();
    const elsewhere = await service();
    expect(await list()).toBe(0);
    expect(elsewhere.keys).toEqual([undefined, KEY]);
  });

  test('a key that is given goes to the address that is given, without a word about homes', async () => {
    const stale = await service();
    await stale.close();
    const other = await listening(() => ({ items: [] }), { port: stale.port });
    expect(await list({ SALLYPORT_URL: other.url, SALLYPORT_API_KEY: 'a:b' })).toBe(0);
    expect(other.keys).toEqual([`Basic ${Buffer.from('a:b').toString('base64')}`]);
  });

  test('of an endless answer no more is read than a proof can be', { timeout: 20_000 }, async () => {
    await service();
    const address = JSON.parse(readFileSync(join(home, 'address.json'), 'utf8')) as { url: string };
    let sent = 0;
    const endless = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'sallyport-api': 'v1' });
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536))) sent += 65_536;
      };
      response.on('drain', more);
      more();
    });
    closers[0]?.();
    closers = [];
    await new Promise<void>((resolve) =>
      endless.listen(Number(new URL(address.url).port), '127.0.0.1', resolve),
    );
    closers.push(() => {
      endless.closeAllConnections();
      endless.close();
    });
    expect(await failure()).toMatch(/no key was sent there/);
    // What the system buffers between the two is sent, too.
    expect(sent).toBeLessThan(32 * 1024 * 1024);
    // One that needs no proof is heard longer, and not for ever.
    expect(await failure({ SALLYPORT_URL: address.url, SALLYPORT_API_KEY: 'a:b' })).toMatch(
      /answered with more than 64 MB, which Sallyport does not/,
    );
  });

  test('without an address nothing is sent anywhere', async () => {
    for (const env of [{}, { SALLYPORT_API_KEY: 'a:b' }]) {
      expect(await failure(env)).toBe(
        `No service is known: it has not written its address into ${home}. Start it, run this in its folder, or set SALLYPORT_URL.`,
      );
    }
  });

  test('the address is readable by its owner alone, and half a file is none', async () => {
    await service();
    const file = join(home, 'address.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    writeFileSync(file, readFileSync(file, 'utf8').slice(0, 20));
    expect(await failure()).toMatch(/^No service is known/);
  });

  describe('in a folder that somebody else prepared', () => {
    // Whose proof is right, as of one who wrote the address himself.
    async function stranger(): Promise<Listening> {
      const address = { url: '', proofKey: 'known-to-the-stranger' };
      const there = await listening((request) => {
        const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
        if (pathname !== HOME_PROOF_PATH) return { items: [] };
        return { proof: homeProof(address, searchParams.get('nonce') ?? '') };
      });
      address.url = there.url;
      writeFileSync(join(home, 'address.json'), JSON.stringify(address), { mode: 0o600 });
      return there;
    }

    test('the key goes nowhere when its file is a link', async () => {
      const { keys } = await stranger();
      const real = `${home}-real.json`;
      renameSync(join(home, 'credentials.json'), real);
      symlinkSync(real, join(home, 'credentials.json'));
      expect(await failure()).toBe(
        `${home}/credentials.json cannot be used: it is a symbolic link. Run this as the user of the service, or set SALLYPORT_URL and SALLYPORT_API_KEY.`,
      );
      rmSync(real);
      expect(keys).toEqual([]);
    });

    test('the key goes to no address that its own service did not write', async () => {
      const { url, keys } = await stranger();
      expect(await failure()).toMatch(
        `${home}/address.json was not written by the service whose key is in ${home}/credentials.json, so no key was sent to ${url}.`,
      );
      const file = join(home, 'address.json');
      const { proofKey } = JSON.parse(readFileSync(file, 'utf8')) as { proofKey: string };
      // A seal of the service itself, for another address of its.
      await service();
      const { seal } = JSON.parse(readFileSync(file, 'utf8')) as { seal: string };
      writeFileSync(file, JSON.stringify({ url, proofKey, seal }));
      expect(await failure()).toMatch(/no key was sent/);
      expect(keys).toEqual([]);
    });

    test('nothing is sent when others may write the folder or a file in it', async () => {
      const { keys } = await service();
      for (const [path, mode] of [
        [home, 0o700],
        [join(home, 'address.json'), 0o600],
        [join(home, 'credentials.json'), 0o600],
      ] as const) {
        chmodSync(path, mode | 0o020);
        expect(await failure()).toMatch(`${path} cannot be used: others may write it (chmod go-w ${path}).`);
        chmodSync(path, mode);
      }
      expect(keys).toEqual([]);
      expect(await list()).toBe(0);
    });

    test.runIf(process.getuid?.() === 0)('root uses a home that is one other user’s throughout', async () => {
      const { keys } = await service();
      chownSync(home, 12_345, 12_345);
      expect(await failure()).toMatch(
        `${home}/address.json cannot be used: it belongs to another user (uid 0).`,
      );
      chownSync(join(home, 'address.json'), 12_345, 12_345);
      expect(await failure()).toMatch(`${home}/credentials.json cannot be used: it belongs to another user`);
      expect(keys).toEqual([]);
      chownSync(join(home, 'credentials.json'), 12_345, 12_345);
      expect(await list()).toBe(0);
      // A key of root's own goes to no address that another user wrote.
      expect(await failure({ SALLYPORT_API_KEY: 'a:b' })).toMatch(
        `${home} cannot be used: it belongs to another`,
      );
    });

    test('the service does not take over a key that it did not write', async () => {
      await stranger();
      const file = join(home, 'address.json');
      await service();
      expect(readFileSync(file, 'utf8')).not.toMatch('known-to-the-stranger');
      const { proofKey } = JSON.parse(readFileSync(file, 'utf8')) as { proofKey: string };
      await service();
      expect(readFileSync(file, 'utf8')).toMatch(proofKey);
    });
  });
});
