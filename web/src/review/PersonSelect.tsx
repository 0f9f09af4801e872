import { useQuery } from '@tanstack/react-query';
import { call } from '../api.js';
import type { Person } from '../reviews.js';

/** One of those who may be given a review, by their id; empty while nobody is chosen. */
export function PersonSelect({ value, onChange }: { value: string; onChange: (id: string) => void }) {
  const people = useQuery({
    queryKey: ['reviewers'],
    queryFn: () => call<{ readonly items: readonly Person[] }>('/api/v1/reviews/reviewers'),
    staleTime: 60_000,
  });
  return (
    <select value={value} onChange={({ target }) => onChange(target.value)}>
      <option value="">–</option>
      {people.data?.items.map(({ id, name }) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </select>
  );
}
