import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';

/** Loading, the error's sentence with a retry, or the data. Old data stays while a refresh fails. */
export function Query<T>({
  of: query,
  children,
}: {
  of: UseQueryResult<T>;
  children: (data: T) => ReactNode;
}) {
  if (query.data !== undefined) {
    return (
      <>
        {query.error === null ? null : (
          <Problem
            message={`${query.error.message} What you see may be out of date.`}
            retry={() => void query.refetch()}
          />
        )}
        {children(query.data)}
      </>
    );
  }
  if (query.error !== null)
    return <Problem message={query.error.message} retry={() => void query.refetch()} />;
  return <p className="quiet">Loading…</p>;
}

function Problem({ message, retry }: { message: string; retry: () => void }) {
  return (
    <p className="problem" role="alert">
      {message}{' '}
      <button type="button" className="plain" onClick={retry}>
        Try again
      </button>
    </p>
  );
}
