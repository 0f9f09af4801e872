import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiError, call, type Page } from '../api.js';
import { visible, when } from '../format.js';
import { Query } from '../parts/Query.js';

interface MailHead {
  readonly id: string;
  readonly subject: string;
  readonly from: string;
  readonly to: string | readonly string[];
  readonly date: string | number;
}

interface Mail extends MailHead {
  readonly text: string;
  readonly html?: string;
}

/** The mails that were caught because no SMTP server is set. */
export function MailboxPage() {
  const [open, setOpen] = useState<string>();
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
        {({ items }) => (
          <table>
            <thead>
              <tr>
                <th>Subject</th>
                <th>To</th>
                <th>Sent</th>
              </tr>
            </thead>
            <tbody>
              {items.map((mail) => (
                <tr key={mail.id}>
                  <td>
                    <button type="button" className="plain" onClick={() => setOpen(mail.id)}>
                      {visible(mail.subject)}
                    </button>
                  </td>
                  <td>{typeof mail.to === 'string' ? mail.to : mail.to.join(', ')}</td>
                  <td>{when(mail.date)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Query>
      {open === undefined ? null : <OpenMail key={open} id={open} />}
    </section>
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
