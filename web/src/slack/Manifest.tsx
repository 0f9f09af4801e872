import { useQuery } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { call } from '../api.js';
import { Field } from '../parts/Fields.js';
import { Problem } from '../parts/Problem.js';
import { useSettled } from '../parts/useSettled.js';

/** What Slack makes the app from: every scope and event that is used, and the addresses of this service. */
export function Manifest({ isOpen }: { isOpen: boolean }) {
  const [transport, setTransport] = useState('socket');
  const [command, setCommand] = useState('/sallyport');
  const [copied, setCopied] = useState('');
  const area = useRef<HTMLTextAreaElement>(null);
  const search = new URLSearchParams({ transport, command: useSettled(command.trim()) }).toString();
  const manifest = useQuery({
    queryKey: ['/api/v1/slack/manifest', search],
    queryFn: () => call<unknown>(`/api/v1/slack/manifest?${search}`),
    retry: false,
  });
  const copy = async (): Promise<void> => {
    area.current?.select();
    try {
      await navigator.clipboard.writeText(area.current?.value ?? '');
      setCopied('Copied.');
    } catch {
      // Without https a browser lets no page write to the clipboard; what is selected can be copied by hand.
      setCopied('Selected: copy it with Ctrl+C.');
    }
  };
  return (
    <details className="card" open={isOpen}>
      <summary>Make the app from a manifest</summary>
      <form className="more" onSubmit={(event) => event.preventDefault()}>
        <p>
          At{' '}
          <a href="https://api.slack.com/apps" target="_blank" rel="noreferrer">
            api.slack.com/apps
          </a>{' '}
          choose Create New App, From a manifest, and paste this. Then install the app, and store its tokens
          above.
        </p>
        <div className="cols">
          <Field label="Answers come by">
            <select value={transport} onChange={(event) => setTransport(event.target.value)}>
              <option value="socket">Socket Mode: works behind a firewall</option>
              <option value="http">Signed requests over HTTP: needs a public https address</option>
            </select>
          </Field>
          <Field label="Slash command">
            <input
              value={command}
              spellCheck={false}
              autoCapitalize="none"
              onChange={(event) => setCommand(event.target.value)}
            />
          </Field>
        </div>
        <Problem error={manifest.error} />
        {manifest.data === undefined || manifest.error !== null ? null : (
          <>
            <Field label="Manifest">
              <textarea
                ref={area}
                className="mono"
                readOnly
                rows={14}
                value={JSON.stringify(manifest.data, null, 2)}
              />
            </Field>
            <div className="row">
              <button type="button" onClick={() => void copy()}>
                Copy it
              </button>
              <span className="quiet" role="status">
                {copied}
              </span>
            </div>
          </>
        )}
      </form>
    </details>
  );
}
