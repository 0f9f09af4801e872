import { Link } from 'react-router-dom';

export function NotFoundPage() {
  return (
    <section>
      <title>Nothing here · Sallyport</title>
      <h1>Nothing here</h1>
      <p>
        This address leads nowhere. <Link to="/">To the overview</Link>.
      </p>
    </section>
  );
}
