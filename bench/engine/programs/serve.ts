import type { Answer, FromChild, FromParent, Order } from './messages.js';

/** Takes orders from the bench until it goes away; `stop` is called then, and the process ends. */
export function serveOrders(
  url: string,
  carryOut: (order: Order) => Promise<Answer>,
  stop: () => Promise<void>,
): void {
  const say = (message: FromChild): void => {
    process.send?.(message);
  };
  process.on('message', ({ id, order }: FromParent) => {
    carryOut(order).then(
      (answer) => say({ kind: 'answer', id, answer }),
      (error: unknown) =>
        say({
          kind: 'failed',
          id,
          message: error instanceof Error ? (error.stack ?? error.message) : String(error),
        }),
    );
  });
  process.once('disconnect', () => {
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`${String(error)}\n`);
        process.exit(1);
      },
    );
  });
  say({ kind: 'ready', pid: process.pid, url });
}
