import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '../api.js';
import { visible } from '../format.js';
import { Field } from '../parts/Fields.js';
import { Problem } from '../parts/Problem.js';
import { useSettled } from '../parts/useSettled.js';
import { channelName, type SeenChannel } from './status.js';

interface ChannelPage {
  readonly items: readonly SeenChannel[];
  readonly nextCursor: string | null;
}

const hintOf = (isPending: boolean, page: ChannelPage | undefined): string | undefined => {
  if (isPending) return 'Asking Slack…';
  return page === undefined || page.nextCursor === null ? undefined : 'There are more: type its name.';
};

const isId = (text: string): boolean => /^[CG][A-Z0-9]{2,29}$/.test(text);

/** Chooses one of the channels that the app sees, by a part of its name; or one that it does not see, by its id. */
export function ChannelPicker({ value, onChange }: { value: string; onChange: (channel: string) => void }) {
  const [text, setText] = useState('');
  const sought = useSettled(text.trim());
  const found = useQuery({
    queryKey: ['/api/v1/slack/channels', sought],
    queryFn: () => {
      const search = sought === '' || isId(sought) ? '' : `?name=${encodeURIComponent(sought)}`;
      return call<ChannelPage>(`/api/v1/slack/channels${search}`);
    },
    staleTime: 60_000,
    retry: false,
  });
  const items = found.data?.items ?? [];
  const typed = isId(text.trim()) ? text.trim() : undefined;
  return (
    <div className="cols">
      <Field label="Name or id of the channel" hint="A private channel is listed once the app was invited.">
        <input
          type="search"
          value={text}
          spellCheck={false}
          autoCapitalize="none"
          onChange={(event) => setText(event.target.value)}
        />
      </Field>
      <Field label="Channel" hint={hintOf(found.isPending, found.data)}>
        <select value={value} required onChange={(event) => onChange(event.target.value)}>
          <option value="">Choose one</option>
          {typed === undefined || items.some(({ id }) => id === typed) ? null : (
            <option value={typed}>{typed}</option>
          )}
          {items.map((channel) => (
            <option key={channel.id} value={channel.id}>
              {visible(channelName(channel))}
              {channel.isPrivate ? ' (private)' : ''}
              {channel.trouble === null ? '' : ` – ${channel.trouble.fact}`}
            </option>
          ))}
        </select>
      </Field>
      <Problem error={found.error} />
    </div>
  );
}
