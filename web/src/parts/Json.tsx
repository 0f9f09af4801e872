/** A payload as it is, readable; nothing in it is ever interpreted. */
export function Json({ label, value }: { label: string; value: unknown }) {
  const empty =
    value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0);
  return (
    <details open={!empty}>
      <summary>
        {label}
        {empty ? <span className="quiet"> — empty</span> : null}
      </summary>
      {empty ? null : (
        <pre tabIndex={0} aria-label={label}>
          {JSON.stringify(value, null, 2)}
        </pre>
      )}
    </details>
  );
}
