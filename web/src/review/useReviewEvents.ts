import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { Liveness } from '../live/connection.js';
import { useLive } from '../live/useLive.js';
import { useThrottled } from '../live/useThrottled.js';

const LIST = '/api/v1/reviews';
const REFRESH_MS = 1_000;

/** Lists and figures are fetched again when something happened to a review, and when the stream came back. */
export function useReviewEvents(): Liveness {
  const client = useQueryClient();
  const refresh = useThrottled(
    () => void client.invalidateQueries({ queryKey: [LIST], predicate: ({ state }) => isShort(state.data) }),
    REFRESH_MS,
  );
  const liveness = useLive('reviews', () => ({}), refresh, `${LIST}/stream`);
  const isLive = liveness.kind === 'live';
  useEffect(() => {
    if (isLive) refresh();
  }, [isLive, refresh]);
  return liveness;
}

/** Fetching ten pages at each event would ask for too much. */
const isShort = (data: unknown): boolean =>
  ((data as { readonly pages?: readonly unknown[] } | undefined)?.pages?.length ?? 0) <= 1;
