import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiError, call, type Page } from '../api.js';
import { visible, when } from '../format.js';
import { addressees, EVERYBODY, mailsTo, shownFor, type Addressee, type MailHead } from '../mailbox.js';
import { Query } from '../parts/Query.js';
import { useFilters } from '../parts/useFilters.js';
import { useSession } from '../parts/useSession.js';

interface Mail extends MailHead {
  readonly text: string;
  readonly html?: string;
}

/** The mails that were caught because no SMTP server is set. */
export function MailboxPage() {
  const [open, setOpen] = useState<string>();
  const [filters, set] = useFilters('to');
  const own = useSession().data?.email;
  const mails = useQuery({
    queryKey: ['mailbox'],
    queryFn: () => call<Page<MailHead>>('/api/v1/mailbox'),
    refetchInterval: 4000,
  });
  if (mails.error instanceof ApiError && mails.error.status === 404) {
    return (
      <section>
        <title>Mailbox · Sallyport</title>
        <h1>Mailbox</h1>
        <p className="quiet">Mails leave through SMTP_URL; none is caught here.</p>
      </section>
    );
  }
  return (
    <section>
      <title>Mailbox · Sallyport</title>
      <h1>Mailbox</h1>
      <p className="quiet">
        No SMTP server is set, so the mails of this service are caught here instead of sent. Set SMTP_URL to
        send them.
      </p>
      <Query of={mails}>
        {({ items }) => {
          const all = addressees(items);
          const address = shownFor(filters.to, all, own);
          return (
            <>
              <Whose all={all} of={address} own={own} onChoose={(to) => set('to', to)} />
              <Mails of={mailsTo(items, address)} onOpen={setOpen} />
            </>
          );
        }}
      </Query>
      {open === undefined ? null : <OpenMail key={open} id={open} />}
    </section>
  );
}

function Whose({
  all,
  of: address,
  own,
  onChoose,
}: {
  all: readonly Addressee[];
  of: string | undefined;
  own: string | undefined;
  onChoose: (to: string) => void;
}) {
  const isMine = (one: string): boolean => one === own?.toLowerCase();
  return (
    <div className="filters">
      <label className="wide">
        Mails to
        <select value={address ?? EVERYBODY} onChange={({ target }) => onChoose(target.value)}>
          <option value={EVERYBODY}>everybody</option>
          {all.some((one) => one.address === address) || address === undefined ? null : (
            <option value={address}>{visible(address)} (0)</option>
          )}
          {all.map((one) => (
            <option key={one.address} value={one.address}>
              {isMine(one.address) ? 'you: ' : ''}
              {visible(one.address)} ({one.mails})
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

function Mails({ of: mails, onOpen }: { of: readonly MailHead[]; onOpen: (id: string) => void }) {
  if (mails.length === 0) return <p className="quiet">No mail to them was caught.</p>;
  return (
    <table>
      <thead>
        <tr>
          <th>Subject</th>
          <th>To</th>
          <th>Sent</th>
        </tr>
      </thead>
      <tbody>
        {mails.map((mail) => (
          <tr key={mail.id}>
            <td>
              <button type="button" className="plain" onClick={() => onOpen(mail.id)}>
                {visible(mail.subject)}
              </button>
            </td>
            <td>{visible(mail.to.join(', '))}</td>
            <td>{when(mail.date)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function OpenMail({ id }: { id: string }) {
  const mail = useQuery({
    queryKey: ['mail', id],
    queryFn: () => call<Mail>(`/api/v1/mailbox/${encodeURIComponent(id)}`),
  });
  return (
    <Query of={mail}>
      {(data) => (
        <article className="card" ref={(element) => element?.scrollIntoView({ block: 'start' })}>
          <h2>{visible(data.subject)}</h2>
          {/* No scripts, no forms, no same origin: a caught mail is somebody else's text. Links open in a new tab. */}
          {data.html === undefined ? (
            <pre>{data.text}</pre>
          ) : (
            <iframe
              className="mail"
              title="The mail"
              sandbox="allow-popups allow-popups-to-escape-sandbox"
              srcDoc={`<base target="_blank">${data.html}`}
            />
          )}
          <details>
            <summary>Plain text</summary>
            <pre>{data.text}</pre>
          </details>
        </article>
      )}
    </Query>
  );
}
