import { performance } from 'node:perf_hooks';

/** After a call found nobody there, so long nobody else tries: the tasks are for processes that have a way. */
export const HOLD_MS = 5_000;

// The way to the server is broken; a connection that broke under way is not among them.
const NO_WAY = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EGRESS_REFUSED',
]);

interface Trouble {
  readonly why: string;
  /** Of `now`. */
  readonly since: number;
  readonly lastAt: number;
}

/** Which endpoints this process found nobody at. */
export class Reachability {
  private readonly troubles = new Map<string, Trouble>();

  /** Real time: nothing is stored of it. */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Somebody answered, whatever it was. */
  answered(endpointId: string): void {
    this.troubles.delete(endpointId);
  }

  /** What became of a call that threw. */
  failed(endpointId: string, error: unknown): void {
    const why = noWay(error);
    if (why === undefined) return;
    const now = this.now();
    const since = this.troubles.get(endpointId)?.since ?? now;
    this.troubles.set(endpointId, { why, since, lastAt: now });
  }

  /** Why calls are not even tried now. */
  heldBack(endpointId: string): string | undefined {
    const trouble = this.troubles.get(endpointId);
    return trouble !== undefined && this.now() - trouble.lastAt < HOLD_MS ? trouble.why : undefined;
  }

  /** Why the last call found nobody, and for how long it has been so. */
  trouble(endpointId: string): { readonly why: string; readonly forMs: number } | undefined {
    const trouble = this.troubles.get(endpointId);
    return trouble && { why: trouble.why, forMs: this.now() - trouble.since };
  }
}

interface NetworkError {
  readonly code?: string;
  readonly name?: string;
  readonly message?: string;
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
}

/** A sentence when the error says that no connection came about. */
function noWay(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, name, message, cause, errors } = error as NetworkError;
  if (code !== undefined && NO_WAY.has(code)) return message === undefined || message === '' ? code : message;
  // Of the SDK, when a socket did not connect in time.
  if (name === 'TimeoutError' && message?.includes('establish a connection') === true) return message;
  return errors?.map(noWay).find((why) => why !== undefined) ?? noWay(cause);
}
