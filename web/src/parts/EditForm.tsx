import type { ReactNode } from 'react';
import { when } from '../format.js';
import { ConfirmButton } from './ConfirmButton.js';
import { Problem } from './Problem.js';
import type { useChange, useCreate } from './useChange.js';

/** The frame of a form that changes one thing: who changed it last, its fields, and the ways to save and remove it. */
export function ChangeForm({
  edit,
  version,
  last,
  note,
  mayChange,
  removal,
  children,
}: {
  edit: ReturnType<typeof useChange>;
  version: number;
  last: { readonly updatedAt: string; readonly updatedBy: string };
  /** What else is to be said of who keeps it. */
  note?: ReactNode;
  mayChange: boolean;
  /** What becomes of removing it. */
  removal: string;
  /** The fields. */
  children: ReactNode;
}) {
  return (
    <Form onSubmit={edit.save}>
      <p className="quiet">
        Version {version}, changed {when(last.updatedAt)} by {last.updatedBy}. {note}
      </p>
      <fieldset className="plain" disabled={!mayChange}>
        {children}
      </fieldset>
      <Problem error={edit.error} />
      {mayChange ? (
        <div className="row">
          <button type="submit" className="primary" disabled={edit.isSaving}>
            Save
          </button>
          <ConfirmButton
            label="Remove"
            question="Really remove"
            effect={removal}
            disabled={edit.isRemoving}
            onConfirm={edit.remove}
          />
        </div>
      ) : null}
    </Form>
  );
}

/** The frame of a form that makes one thing. */
export function NewForm({ making, children }: { making: ReturnType<typeof useCreate>; children: ReactNode }) {
  return (
    <Form onSubmit={making.create}>
      {children}
      <Problem error={making.error} />
      <div className="row">
        <button type="submit" className="primary" disabled={making.isCreating}>
          Add it
        </button>
      </div>
    </Form>
  );
}

const Form = ({ onSubmit, children }: { onSubmit: () => void; children: ReactNode }) => (
  <form
    className="card form"
    onSubmit={(event) => {
      event.preventDefault();
      onSubmit();
    }}
  >
    {children}
  </form>
);
