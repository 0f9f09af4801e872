/** So many weeks up to tomorrow, as days of UTC. */
export function lastWeeks(weeks: number): { from: string; to: string } {
  const tomorrow = Date.now() + 86_400_000;
  const day = (at: number): string => new Date(at).toISOString().slice(0, 10);
  return { from: day(tomorrow - weeks * 7 * 86_400_000), to: day(tomorrow) };
}
