/** The server's sentence about what it refused; nothing when it refused nothing. */
export const Problem = ({ error }: { error: Error | null }) =>
  error === null ? null : (
    <p className="problem" role="alert">
      {error.message}
    </p>
  );
