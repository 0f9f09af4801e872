import { Link } from 'react-router-dom';

export function NotFoundPage() {
  return (
    <section>
      <h1>Nothing here</h1>
      <p>
        This address leads nowhere. <Link to="/">Back to the reviews</Link>.
      </p>
    </section>
  );
}
