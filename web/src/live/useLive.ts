import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useEffectEvent, useState } from 'react';
import { LiveConnection, type Liveness } from './connection.js';

// A browser has six connections to a server without HTTP/2: pages that nobody sees give theirs back.
const HIDDEN_MS = 10_000;

/**
 * Listens to the event stream while the page is shown.
 *
 * @param query the stream's parameters at the moment of connecting; `undefined`: do not listen (yet).
 * @param name another one means another stream.
 * @param path of the stream.
 */
export function useLive(
  name: string,
  query: () => Readonly<Record<string, string>> | undefined,
  onEvent: (event: 'change' | 'reset', data: unknown) => void,
  path = '/api/v1/stream',
): Liveness {
  const client = useQueryClient();
  const [liveness, setLiveness] = useState<Liveness>({ kind: 'connecting' });
  const currentQuery = useEffectEvent(() => query() ?? {});
  const tell = useEffectEvent(onEvent);
  const isReady = query() !== undefined;
  useEffect(() => {
    if (!isReady) return undefined;
    let connection: LiveConnection | undefined;
    let hiding: ReturnType<typeof setTimeout> | undefined;
    const open = (): void => {
      connection ??= new LiveConnection({
        open: () => new EventSource(`${path}?${new URLSearchParams(currentQuery()).toString()}`),
        onEvent: (event, data) => tell(event, data),
        onLiveness: (next) => setLiveness((old) => (isSame(old, next) ? old : next)),
        // If the session ended, the question for it shows the login.
        onRefused: () => void client.invalidateQueries({ queryKey: ['session'] }),
        now: () => Date.now(),
      });
    };
    const close = (): void => {
      connection?.close();
      connection = undefined;
    };
    const look = (): void => {
      clearTimeout(hiding);
      if (document.visibilityState === 'visible') open();
      else hiding = setTimeout(close, HIDDEN_MS);
    };
    look();
    document.addEventListener('visibilitychange', look);
    return () => {
      document.removeEventListener('visibilitychange', look);
      clearTimeout(hiding);
      close();
    };
  }, [name, isReady, client, path]);
  return liveness;
}

const isSame = (a: Liveness, b: Liveness): boolean =>
  a.kind === b.kind && ('since' in a ? a.since : 0) === ('since' in b ? b.since : 0);
