import { useQuery } from '@tanstack/react-query';

interface Health {
  readonly healthy: boolean;
  readonly healthResults: readonly {
    readonly name: string;
    readonly healthy: boolean;
    readonly details: { degraded?: boolean; detail: string; remedy?: string };
  }[];
}

/** What does not work as it should, with the line that mends it; nothing when all is well. */
export function HealthBanner() {
  const health = useQuery({
    queryKey: ['health'],
    // 503 also carries the body that says what is wrong.
    queryFn: async () => (await (await fetch('/health')).json()) as Health,
    refetchInterval: 15_000,
  });
  if (health.error !== null) return <p className="notice bad">The service does not answer.</p>;
  const troubles =
    health.data?.healthResults.filter((result) => !result.healthy || result.details.degraded === true) ?? [];
  return troubles.map((result) => (
    <p key={result.name} className={`notice ${result.healthy ? 'warn' : 'bad'}`} role="status">
      <strong>{result.name}</strong>: {result.details.detail}
      {result.details.remedy === undefined ? null : <> — {result.details.remedy}</>}
    </p>
  ));
}
