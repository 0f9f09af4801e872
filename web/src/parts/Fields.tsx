import { cloneElement, useId, type ReactElement, type ReactNode } from 'react';

/** A labelled input, and below it a line that says what it is for: its description, not a part of its name. */
export function Field({
  label,
  hint,
  children,
}: {
  label: string;
  hint?: ReactNode;
  children: ReactElement<{ 'aria-describedby'?: string }>;
}) {
  const id = useId();
  if (hint === undefined) {
    return (
      <label>
        {label}
        {children}
      </label>
    );
  }
  return (
    <div>
      <label>
        {label}
        {cloneElement(children, { 'aria-describedby': id })}
      </label>
      <span className="hint" id={id}>
        {hint}
      </span>
    </div>
  );
}

/** Yes or no. */
export function Check({
  label,
  checked,
  disabled = false,
  onChange,
}: {
  label: string;
  checked: boolean;
  disabled?: boolean;
  onChange: (checked: boolean) => void;
}) {
  return (
    <label className="check">
      <input
        type="checkbox"
        checked={checked}
        disabled={disabled}
        onChange={(event) => onChange(event.target.checked)}
      />
      {label}
    </label>
  );
}
