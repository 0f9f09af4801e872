import { useState } from 'react';

/**
 * A button that asks once more before it does what cannot be undone: the second press does it, and looking elsewhere
 * forgets the first.
 */
export function ConfirmButton({
  label,
  question,
  effect,
  disabled = false,
  onConfirm,
}: {
  label: string;
  /** What the button says when it was pressed once. */
  question: string;
  /** What happens, said beside it then. */
  effect?: string;
  disabled?: boolean;
  onConfirm: () => void;
}) {
  const [isAsking, setAsking] = useState(false);
  const press = (): void => {
    setAsking(!isAsking);
    if (isAsking) onConfirm();
  };
  return (
    <>
      <button
        type="button"
        className={isAsking ? 'danger' : ''}
        disabled={disabled}
        onClick={press}
        onBlur={() => setAsking(false)}
      >
        {isAsking ? question : label}
      </button>
      <span className="quiet" role="status">
        {isAsking ? effect : null}
      </span>
    </>
  );
}
