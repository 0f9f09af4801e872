/** The way to a list's next page; nothing when there is none. */
export function ShowMore({
  hasMore,
  isLoading,
  onMore,
}: {
  hasMore: boolean;
  isLoading: boolean;
  onMore: () => void;
}) {
  if (!hasMore) return null;
  return (
    <button type="button" disabled={isLoading} onClick={onMore}>
      Show more
    </button>
  );
}
