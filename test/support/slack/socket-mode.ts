import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { WebSocket } from 'ws';
import { ACK_WITHIN_MS, NotDelivered, type Delivery, type Retry } from './delivery.js';
import type { Json } from './refusal.js';

const MOST_SOCKETS = 10;

/** Why Slack says that a connection ends. */
export type DisconnectReason = 'warning' | 'refresh_requested' | 'link_disabled' | 'too_many_websockets';

interface Waiting {
  readonly socket: WebSocket;
  readonly done: (payload: Json) => void;
  readonly failed: (reason: string) => void;
}

/** Socket Mode: up to ten connections, of which each payload takes one by chance. */
export class SocketMode implements Delivery {
  ackWithinMs = ACK_WITHIN_MS;
  private readonly sockets = new Set<WebSocket>();
  private readonly tickets = new Set<string>();
  private readonly waiting = new Map<string, Waiting>();

  constructor(
    private readonly random: () => number,
    /** The app that the app token is of. */
    public appId: string,
  ) {}

  get connections(): number {
    return this.sockets.size;
  }

  /** An address for one connection. */
  ticket(): string {
    const ticket = randomBytes(9).toString('base64url');
    this.tickets.add(ticket);
    return ticket;
  }

  greet(socket: WebSocket, request: IncomingMessage): void {
    socket.on('error', () => undefined);
    const ticket = new URL(request.url ?? '', 'ws://slack').searchParams.get('ticket') ?? '';
    if (!this.tickets.delete(ticket)) {
      socket.close(1008, 'the address was used or never given out');
      return;
    }
    if (this.sockets.size >= MOST_SOCKETS) {
      farewell(socket, 'too_many_websockets');
      socket.close();
      return;
    }
    this.sockets.add(socket);
    socket.on('close', () => this.forget(socket));
    socket.on('message', (data: Buffer) => this.acknowledged(data));
    socket.send(
      JSON.stringify({
        type: 'hello',
        num_connections: this.sockets.size,
        connection_info: { app_id: this.appId },
        debug_info: { host: 'stand-in', approximate_connection_time: 18060 },
      }),
    );
  }

  interaction(payload: Json): Promise<Json> {
    return this.send('interactive', payload, true);
  }

  command(fields: Readonly<Record<string, string>>): Promise<Json> {
    return this.send('slash_commands', fields, true);
  }

  event(payload: Json, retry: Retry | undefined): Promise<Json> {
    const attempt = { retry_attempt: retry?.attempt ?? 0, retry_reason: retry?.reason ?? '' };
    return this.send('events_api', payload, false, attempt);
  }

  /** Slack recycles the connections, as it does every few hours; `abruptly` without saying so. */
  drop(how: DisconnectReason | 'abruptly'): void {
    for (const socket of this.sockets) {
      if (how === 'abruptly') socket.terminate();
      else farewell(socket, how);
    }
  }

  private acknowledged(data: Buffer): void {
    const { envelope_id: id, payload } = JSON.parse(data.toString('utf8')) as {
      envelope_id: string;
      payload?: Json;
    };
    this.waiting.get(id)?.done(payload ?? {});
  }

  private forget(socket: WebSocket): void {
    this.sockets.delete(socket);
    for (const { socket: theirs, failed } of this.waiting.values())
      if (theirs === socket) failed('the connection was lost before the acknowledgement');
  }

  private send(type: string, payload: Json, acceptsPayload: boolean, more: Json = {}): Promise<Json> {
    const sockets = [...this.sockets];
    const socket = sockets[Math.floor(this.random() * sockets.length)];
    if (socket === undefined)
      return Promise.reject(
        new NotDelivered('connection_failed', 'nobody is connected; Slack would show an error'),
      );
    const id = randomBytes(8).toString('hex');
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        this.waiting.delete(id);
      };
      const failed = (message: string): void => {
        end();
        reject(new NotDelivered('timeout', message));
      };
      const timer = setTimeout(
        () => failed(`not acknowledged within ${this.ackWithinMs / 1000} s`),
        this.ackWithinMs,
      );
      const done = (ack: Json): void => {
        end();
        resolve(ack);
      };
      this.waiting.set(id, { socket, done, failed });
      socket.send(
        JSON.stringify({ envelope_id: id, type, accepts_response_payload: acceptsPayload, payload, ...more }),
      );
    });
  }
}

const farewell = (socket: WebSocket, reason: DisconnectReason): void =>
  socket.send(JSON.stringify({ type: 'disconnect', reason, debug_info: { host: 'stand-in' } }));
