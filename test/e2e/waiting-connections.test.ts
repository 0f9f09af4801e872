import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { ServiceProcess } from '../support/service-process.js';

const CONNECTIONS = 2_000;
const mostWaiting = Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8'));

it.skipIf(mostWaiting <= CONNECTIONS)(
  `a storm of events that each open a connection is let in, also while the service has no time: ${CONNECTIONS} wait`,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-waiting-'));
    chmodSync(folder, 0o711);
    const service = await ServiceProcess.on(join(folder, 'home'));
    const sockets: Socket[] = [];
    try {
      await service.start();
      const authorization = `Bearer ${service.credentials.eventsToken}`;
      const pid = service.pid ?? 0;
      process.kill(pid, 'SIGSTOP');
      let connected = 0;
      let answered = 0;
      try {
        for (let i = 0; i < CONNECTIONS; i += 1) {
          const body = JSON.stringify({ objects: [{ bucket: 'uploads', key: `waiting/${i}` }] });
          const socket = connect(service.port, '127.0.0.1', () => {
            connected += 1;
            socket.write(
              `POST /events/s3 HTTP/1.1\r\nHost: 127.0.0.1:${service.port}\r\nAuthorization: ${authorization}\r\n` +
                `Content-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
            );
          });
          socket.once('data', (answer) => (answered += answer.toString().startsWith('HTTP/1.1 200') ? 1 : 0));
          sockets.push(socket);
        }
        // A connection that is dropped for want of room is tried again after a second, and a sender gives up after three.
        await eventually(() => connected === CONNECTIONS, {
          timeoutMs: 3_000,
          what: 'every connection waits',
        });
      } finally {
        process.kill(pid, 'SIGCONT');
      }
      await eventually(() => answered === CONNECTIONS, { timeoutMs: 60_000, what: 'every event is taken' });
      const { total } = await service.api<{ total: number }>('/api/v1/objects/summary');
      expect(total).toBe(CONNECTIONS);
    } finally {
      for (const socket of sockets) socket.destroy();
      await service.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
  120_000,
);
