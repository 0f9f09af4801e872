import { useInfiniteQuery } from '@tanstack/react-query';
import { call, type Page } from '../api.js';

/**
 * A list that grows by the server's cursors.
 *
 * @param refreshMs its first page is looked at again so often; `false` for lists that hear of changes.
 */
export function usePages<T>(
  path: string,
  parameters: Readonly<Record<string, string>>,
  refreshMs: number | false = 3000,
) {
  const query = useInfiniteQuery({
    queryKey: [path, parameters],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }) => {
      const search = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== ''));
      if (pageParam !== undefined) search.set('cursor', pageParam);
      return call<Page<T>>(`${path}?${search.toString()}`);
    },
    getNextPageParam: (page) => page.nextCursor,
    // Only while one page is shown: refreshing ten pages every three seconds would ask for too much.
    refetchInterval: (state) => ((state.state.data?.pages.length ?? 0) <= 1 ? refreshMs : false),
  });
  return { ...query, items: query.data?.pages.flatMap((page) => page.items) };
}
