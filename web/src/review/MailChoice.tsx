import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { call } from '../api.js';
import { Problem } from '../parts/Problem.js';

interface Preference {
  readonly reviews: 'all' | 'mine';
}
const PATH = '/api/v1/me/mail';

/** How much mail about reviews whoever is logged in wants. */
export function MailChoice() {
  const client = useQueryClient();
  const { data } = useQuery({ queryKey: [PATH], queryFn: () => call<Preference>(PATH), retry: false });
  const choose = useMutation({
    mutationFn: (reviews: Preference['reviews']) =>
      call<Preference>(PATH, { method: 'PUT', body: { reviews } }),
    onSuccess: (answer) => client.setQueryData([PATH], answer),
  });
  if (data === undefined) return null;
  const option = (value: Preference['reviews'], text: string) => (
    <label className="check">
      <input
        type="radio"
        name="mail"
        checked={data.reviews === value}
        disabled={choose.isPending}
        onChange={() => choose.mutate(value)}
      />{' '}
      {text}
    </label>
  );
  return (
    <details className="card more">
      <summary>Mail about reviews</summary>
      <fieldset className="plain">
        <legend className="quiet">Mail me</legend>
        {option('all', 'of every review that I may decide')}
        {option('mine', 'of what asks me by name or is given to me, and of what nobody else would hear of')}
      </fieldset>
      <Problem error={choose.error} />
    </details>
  );
}
