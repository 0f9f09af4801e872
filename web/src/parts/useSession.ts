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

/** Whether who is logged in has one of these roles. The server decides; this only keeps pages from offering what it refuses. */
export function useMay(...roles: readonly ('author' | 'operator' | 'analyst' | 'approver')[]): boolean {
  const { data } = useSession();
  return data?.roles.some((held) => held === 'admin' || roles.some((role) => role === held)) === true;
}
