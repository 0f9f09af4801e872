/* How the service is, as /health says it. */

import { useQuery } from '@tanstack/react-query';

/** `degraded`: works, but not as it should. `remedy` is the line that mends it. */
export interface Check {
  readonly name: string;
  readonly healthy: boolean;
  readonly degraded?: boolean;
  readonly detail: string;
  readonly remedy?: string;
}

interface Health {
  readonly healthy: boolean;
  readonly degraded: boolean;
  readonly healthResults: readonly { readonly details: Check }[];
}

/** Every page shares one answer. */
export const useHealth = () =>
  useQuery({
    queryKey: ['health'],
    // 503 also carries the body that says what is wrong.
    queryFn: async () => (await (await fetch('/health')).json()) as Health,
    refetchInterval: 15_000,
  });

export const troublesOf = (health: Health | undefined): readonly Check[] =>
  health?.healthResults
    .map(({ details }) => details)
    .filter(({ healthy, degraded }) => !healthy || degraded === true) ?? [];
