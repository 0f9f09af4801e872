import { useEffect, useMemo, useRef } from 'react';

/** Calls `act` at once, and then at most once per `everyMs`; what was asked for meanwhile is done at the end of it. */
export function useThrottled(act: () => void, everyMs: number): () => void {
  const latest = useRef(act);
  useEffect(() => {
    latest.current = act;
  });
  const throttle = useMemo(() => throttled(() => latest.current(), everyMs), [everyMs]);
  useEffect(() => throttle.cancel, [throttle]);
  return throttle.call;
}

/** The same without React. */
export function throttled(act: () => void, everyMs: number): { call: () => void; cancel: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isWanted = false;
  const run = (): void => {
    isWanted = false;
    act();
    timer = setTimeout(() => {
      timer = undefined;
      if (isWanted) run();
    }, everyMs);
  };
  return {
    call: () => {
      if (timer === undefined) run();
      else isWanted = true;
    },
    cancel: () => {
      clearTimeout(timer);
      timer = undefined;
      isWanted = false;
    },
  };
}
