import { parentPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { messageOf } from '../errors.js';
import { ByteScan } from '../engine/byte-scan.js';
import type { ScanSettings } from '../engine/byte-scan.js';
import { compileRules } from '../engine/compile.js';
import { loadRules } from '../rules/load.js';
import type { Order, Report, WorkerSettings } from './messages.js';
import { Pulse } from './pulse.js';

// The pool keeps the bytes since the last checkpoint: 1 MB a scan is what it may hold, and copying one costs little.
const CHECKPOINT_BYTES = 1024 * 1024;

interface OpenScan {
  readonly scan: ByteScan;
  sinceCheckpoint: number;
}

/** Scans in a worker thread: takes orders from the pool one after the other and reports on each. */
function work(port: MessagePort, given: WorkerSettings): void {
  const pulse = new Pulse(given.pulse);
  const settings: ScanSettings = {
    rules: compileRules(loadRules(given.sources)),
    fingerprintKey: Buffer.from(given.fingerprintKey),
    fingerprintKeyId: given.fingerprintKeyId,
    sealingKey: given.sealingKey && { id: given.sealingKey.id, key: Buffer.from(given.sealingKey.key) },
    monotonicMs: () => performance.now(),
    ruleBudgetMs: given.ruleBudgetMs,
    maxFindings: given.maxFindings,
    probe: pulse,
  };
  const scans = new Map<number, OpenScan>();
  const report = (message: Report): void => port.postMessage(message);
  const obey = async (order: Order): Promise<void> => {
    if (order.kind === 'open') {
      const scan = new ByteScan(settings, order.target, order.checkpoint, order.expired);
      scans.set(order.scanId, { scan, sinceCheckpoint: 0 });
      return;
    }
    const open = scans.get(order.scanId);
    if (open === undefined) return;
    if (order.kind === 'write') return write(open, order, report);
    scans.delete(order.scanId);
    if (order.kind === 'abort') return open.scan.abort();
    report({ kind: 'result', scanId: order.scanId, result: await open.scan.end() });
  };
  port.on('message', (order: Order) => {
    pulse.work(order.scanId);
    obey(order)
      .catch((error: unknown) => {
        scans.delete(order.scanId);
        report({ kind: 'failed', scanId: order.scanId, message: messageOf(error) });
      })
      .finally(() => pulse.work(0));
  });
}

function write(
  open: OpenScan,
  order: Extract<Order, { kind: 'write' }>,
  report: (message: Report) => void,
): void {
  open.scan.write(order.bytes);
  open.sinceCheckpoint += order.bytes.length;
  const isDue = open.sinceCheckpoint >= CHECKPOINT_BYTES;
  if (isDue) open.sinceCheckpoint = 0;
  const checkpoint = isDue ? open.scan.checkpoint() : undefined;
  report({ kind: 'written', scanId: order.scanId, sequence: order.sequence, checkpoint });
}

const given: WorkerSettings = workerData;
if (parentPort !== null) work(parentPort, given);
