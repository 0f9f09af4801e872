import { Link } from 'react-router-dom';
import { useMay } from '../parts/useSession.js';
import { Schedules } from './Schedules.js';

/** What starts workflows by itself. */
export function TriggersPage() {
  const mayChange = useMay('engineer');
  return (
    <section>
      <title>Triggers · Sallyport</title>
      <div className="heading">
        <h1>Schedules</h1>
        {mayChange ? (
          <span className="actions">
            <Link className="button" to="/schedules/new">
              Add a schedule
            </Link>
          </span>
        ) : null}
      </div>
      <Schedules />
    </section>
  );
}
