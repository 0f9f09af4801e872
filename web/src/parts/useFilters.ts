import { useSearchParams } from 'react-router-dom';

/** Filters kept in the address, so that a view can be shared and survives a reload; empty ones leave it. */
export function useFilters<Name extends string>(...names: readonly Name[]) {
  const [search, setSearch] = useSearchParams();
  const values = Object.fromEntries(names.map((name) => [name, search.get(name) ?? ''])) as Record<
    Name,
    string
  >;
  const set = (name: Name, value: string): void =>
    setSearch((old) => {
      const next = new URLSearchParams(old);
      if (value === '') next.delete(name);
      else next.set(name, value);
      return next;
    });
  return [values, set] as const;
}
