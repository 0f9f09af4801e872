import { useQuery } from '@tanstack/react-query';
import { call, type Principal } from '../api.js';

/** Who is logged in. */
export const useSession = () =>
  useQuery({
    queryKey: ['session'],
    queryFn: () => call<Principal>('/api/v1/session'),
    staleTime: 60_000,
  });

/** Whether who is logged in has one of these roles, where an admin does not have them all. */
export function useIs(...roles: readonly ('admin' | 'auditor')[]): boolean {
  const { data } = useSession();
  return data?.roles.some((held) => roles.some((role) => role === held)) === true;
}

const SEE_REVIEWS = ['admin', 'author', 'operator', 'analyst', 'auditor', 'approver'];

/**
 * Which reviews who is logged in sees: all; those of the queues that they hold a grant for; none. Undefined as long as
 * nobody knows.
 */
export function useSeenReviews(): 'all' | 'granted' | 'none' | undefined {
  const { data } = useSession();
  if (data === undefined) return undefined;
  if (data.roles.some((held) => SEE_REVIEWS.includes(held))) return 'all';
  return data.grants.some(({ role }) => role === 'approver') ? 'granted' : 'none';
}

/** Whether who is logged in may decide in one review queue by a grant. */
export function useIsGranted(queue: string): boolean {
  const { data } = useSession();
  return data?.grants.some(({ role, scope }) => role === 'approver' && scope === queue) === true;
}

/** Whether who is logged in has one of these roles. The server decides; this only keeps pages from offering what it refuses. */
export function useMay(
  ...roles: readonly ('author' | 'operator' | 'analyst' | 'approver' | 'auditor')[]
): boolean {
  const { data } = useSession();
  return data?.roles.some((held) => held === 'admin' || roles.some((role) => role === held)) === true;
}
