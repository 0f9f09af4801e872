import { once } from 'node:events';
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';

/** Where a proxy leads to. */
export interface Target {
  readonly host: string;
  readonly port: number;
}

/**
 * A TCP proxy between a client and a server that behaves as badly as a network can: slow, cut, refusing, or silent.
 *
 * Bounded: what waits in a delay is at most what the sockets' own buffers let through.
 */
export class TcpProxy {
  private readonly pairs = new Set<Pair>();
  private delayMs = 0;
  private isSilent = false;
  private isRefusing = false;
  private lost: string | undefined;
  /** Connections accepted so far. */
  accepted = 0;

  private constructor(
    private readonly server: Server,
    private target: Target,
  ) {}

  static async to(target: Target): Promise<TcpProxy> {
    const server = createServer();
    const proxy = new TcpProxy(server, target);
    server.on('connection', (socket) => proxy.accept(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  /** A proxy in front of the server that a database URL names. */
  static toUrl(url: string): Promise<TcpProxy> {
    const { hostname, port } = new URL(url);
    return TcpProxy.to({ host: hostname, port: Number(port) });
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Connections that are open now. */
  get open(): number {
    return this.pairs.size;
  }

  /** The same URL, through this proxy. */
  through(url: string): string {
    const changed = new URL(url);
    changed.hostname = '127.0.0.1';
    changed.port = String(this.port);
    return changed.href;
  }

  /** New connections lead elsewhere from now on, as after a failover. */
  leadTo(target: Target): void {
    this.target = target;
  }

  /** Holds every piece back for so long, in both directions; 0 for none. */
  delay(milliseconds: number): void {
    this.delayMs = milliseconds;
  }

  /** Cuts every open connection, as a firewall that resets does; new ones are served. */
  cut(): void {
    for (const pair of this.pairs) pair.destroy();
  }

  /** Cuts the connection on which the server says this next, instead of passing it on. */
  loseAnswer(text: string): void {
    this.lost = text;
  }

  /** Whether the answer that is to be lost was. */
  get hasLost(): boolean {
    return this.lost === undefined;
  }

  private isLost(chunk: Buffer): boolean {
    if (this.lost === undefined || !chunk.includes(this.lost)) return false;
    this.lost = undefined;
    return true;
  }

  /** Swallows everything without a word, open connections and new ones; `heal` ends it for new ones. */
  blackHole(): void {
    this.isSilent = true;
    for (const pair of this.pairs) pair.silence();
  }

  /** Cuts what is open and hangs up on whoever comes. */
  refuse(): void {
    this.isRefusing = true;
    this.cut();
  }

  /** Serves again. Connections that fell silent stay so: their packets are gone. */
  heal(): void {
    this.isSilent = false;
    this.isRefusing = false;
    this.delayMs = 0;
  }

  async close(): Promise<void> {
    this.server.close();
    this.cut();
    await once(this.server, 'close');
  }

  private accept(client: Socket): void {
    this.accepted += 1;
    if (this.isRefusing) {
      client.destroy();
      return;
    }
    const pair = new Pair(
      client,
      connect(this.target),
      () => this.delayMs,
      (chunk) => this.isLost(chunk),
    );
    this.pairs.add(pair);
    pair.onClose = () => this.pairs.delete(pair);
    if (this.isSilent) pair.silence();
  }
}

/** One client and its connection to the server. */
class Pair {
  onClose: () => void = () => undefined;
  private isSilent = false;

  constructor(
    private readonly client: Socket,
    private readonly server: Socket,
    private readonly delayMs: () => number,
    private readonly isLost: (answer: Buffer) => boolean,
  ) {
    this.pass(client, server);
    this.pass(server, client);
  }

  silence(): void {
    this.isSilent = true;
  }

  destroy(): void {
    this.client.destroy();
    this.server.destroy();
  }

  private pass(from: Socket, to: Socket): void {
    from.setNoDelay(true);
    // Whatever breaks, the other side is told below.
    from.on('error', () => undefined);
    from.on('data', (chunk: Buffer) => {
      if (this.isSilent) return;
      if (from === this.server && this.isLost(chunk)) {
        this.destroy();
        return;
      }
      const delay = this.delayMs();
      if (delay === 0) {
        this.write(from, to, chunk);
        return;
      }
      // Paused meanwhile: pieces stay in order, and no more than one is held here.
      from.pause();
      setTimeout(() => {
        from.resume();
        this.write(from, to, chunk);
      }, delay);
    });
    from.on('end', () => {
      if (!this.isSilent) to.end();
    });
    from.on('close', () => {
      // A client that sees no answer hangs up: that the server never hears of it is what a black hole is.
      if (!this.isSilent) to.destroy();
      if (this.client.destroyed && (this.server.destroyed || this.isSilent)) this.onClose();
    });
  }

  private write(from: Socket, to: Socket, chunk: Buffer): void {
    if (this.isSilent || to.destroyed) return;
    if (to.write(chunk)) return;
    from.pause();
    to.once('drain', () => from.resume());
  }
}
