import { Link } from 'react-router-dom';
import { useMay } from '../parts/useSession.js';
import { Rules } from './Rules.js';
import { RuleTest } from './RuleTest.js';
import { Schedules } from './Schedules.js';

/** What starts workflows: which uploads do, and what comes again and again. */
export function TriggersPage() {
  const mayChange = useMay('author');
  return (
    <section>
      <title>Triggers · Sallyport</title>
      <div className="heading">
        <h1>Trigger rules</h1>
        {mayChange ? (
          <span className="actions">
            <Link className="button primary" to="/new/rule">
              Add a rule
            </Link>
          </span>
        ) : null}
      </div>
      <Rules />
      <h2>Which rule wins?</h2>
      <RuleTest />
      <div className="heading">
        <h2>Schedules</h2>
        {mayChange ? (
          <span className="actions">
            <Link className="button" to="/new/schedule">
              Add a schedule
            </Link>
          </span>
        ) : null}
      </div>
      <Schedules />
    </section>
  );
}
