import { lazy, Suspense } from 'react';
import { Link, NavLink, Route, Routes, useLocation } from 'react-router-dom';
import { ApiError, call, type Principal } from './api.js';
import { ExecutionsPage } from './pages/ExecutionsPage.js';
import { LoginPage } from './pages/LoginPage.js';
import { LinkSlackPage } from './pages/LinkSlackPage.js';
import { MailboxPage } from './pages/MailboxPage.js';
import { NotFoundPage } from './pages/NotFoundPage.js';
import { ObjectPage } from './pages/ObjectPage.js';
import { ObjectsPage } from './pages/ObjectsPage.js';
import { ReportPage } from './pages/ReportPage.js';
import { ReportsPage } from './pages/ReportsPage.js';
import { CasePage } from './pages/CasePage.js';
import { ReviewPage } from './pages/ReviewPage.js';
import { ReviewsPage } from './pages/ReviewsPage.js';
import { AccountsPage } from './pages/AccountsPage.js';
import { BackfillPage } from './pages/BackfillPage.js';
import { BackfillsPage } from './pages/BackfillsPage.js';
import { BucketPage, NewBucketPage } from './pages/BucketPage.js';
import { BucketsPage } from './pages/BucketsPage.js';
import { EvidencePage } from './pages/EvidencePage.js';
import { ExceptionsPage } from './pages/ExceptionsPage.js';
import { RemediesPage } from './pages/RemediesPage.js';
import { EndpointPage, NewEndpointPage } from './pages/EndpointPage.js';
import { NewBackfillPage } from './pages/NewBackfillPage.js';
import { OverviewPage } from './pages/OverviewPage.js';
import { QueuePage } from './pages/QueuePage.js';
import { NewRulePage, RulePage } from './pages/RulePage.js';
import { NewSchedulePage, SchedulePage } from './pages/SchedulePage.js';
import { SlackPage } from './pages/SlackPage.js';
import { TriggersPage } from './pages/TriggersPage.js';
import { ErrorBoundary } from './parts/ErrorBoundary.js';
import { HealthBanner } from './parts/HealthBanner.js';
import { useSession } from './parts/useSession.js';

// The graph library is the largest part; only this page needs it.
const ExecutionPage = lazy(async () => ({
  default: (await import('./pages/ExecutionPage.js')).ExecutionPage,
}));

const PLACES = [
  ['/', 'Overview'],
  ['/reviews', 'Reviews'],
  ['/objects', 'Objects'],
  ['/findings', 'Findings'],
  ['/executions', 'Executions'],
  ['/reports', 'Reports'],
  ['/evidence', 'Evidence', ['admin', 'auditor']],
  ['/buckets', 'Buckets'],
  ['/triggers', 'Triggers'],
  ['/queue', 'Queue'],
  ['/backfills', 'Backfills'],
  ['/mailbox', 'Mailbox', ['admin', 'analyst']],
  ['/slack', 'Slack', ['admin', 'operator', 'auditor']],
  ['/accounts', 'Accounts', ['admin', 'auditor']],
] as const satisfies readonly (readonly [path: string, name: string, roles?: readonly string[]])[];

/** What the menu offers: places that the server shows to nobody else are for those with one of their roles. */
const placesOf = ({ roles: held }: Principal) =>
  PLACES.filter(([, , roles]) => roles === undefined || roles.some((role) => held.includes(role)));

export function App() {
  const location = useLocation();
  const session = useSession();
  if (session.isPending) return <p className="quiet padded">Loading…</p>;
  if (session.error instanceof ApiError && session.error.status === 401) return <LoginPage />;
  if (session.error !== null) return <p className="problem padded">{session.error.message}</p>;
  return (
    <>
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <header className="bar">
        <Link className="brand" to="/">
          <span aria-hidden="true" className="mark" />
          Sallyport
        </Link>
        <nav aria-label="Main">
          {placesOf(session.data).map(([path, name]) => (
            <NavLink key={path} to={path} end={path === '/'}>
              {name}
            </NavLink>
          ))}
        </nav>
        <Me principal={session.data} />
      </header>
      <HealthBanner />
      <main id="content">
        <ErrorBoundary key={location.pathname}>
          <Suspense fallback={<p className="quiet">Loading…</p>}>
            <Routes>
              <Route path="/" element={<OverviewPage />} />
              <Route path="/reviews" element={<ReviewsPage />} />
              <Route path="/reviews/:id" element={<ReviewPage />} />
              <Route path="/reviews/cases/:id" element={<CasePage />} />
              <Route path="/objects" element={<ObjectsPage />} />
              <Route path="/objects/:id" element={<ObjectPage />} />
              <Route path="/findings" element={<ExceptionsPage />} />
              <Route path="/findings/remedies" element={<RemediesPage />} />
              <Route path="/executions" element={<ExecutionsPage />} />
              <Route path="/executions/:id" element={<ExecutionPage />} />
              <Route path="/reports" element={<ReportsPage />} />
              <Route path="/reports/:id" element={<ReportPage />} />
              <Route path="/evidence" element={<EvidencePage />} />
              <Route path="/buckets" element={<BucketsPage />} />
              <Route path="/new/bucket" element={<NewBucketPage />} />
              <Route path="/buckets/:endpointId/:bucket" element={<BucketPage />} />
              <Route path="/new/endpoint" element={<NewEndpointPage />} />
              <Route path="/endpoints/:id" element={<EndpointPage />} />
              <Route path="/triggers" element={<TriggersPage />} />
              <Route path="/new/rule" element={<NewRulePage />} />
              <Route path="/triggers/:name" element={<RulePage />} />
              <Route path="/new/schedule" element={<NewSchedulePage />} />
              <Route path="/schedules/:name" element={<SchedulePage />} />
              <Route path="/queue" element={<QueuePage />} />
              <Route path="/backfills" element={<BackfillsPage />} />
              <Route path="/new/backfill" element={<NewBackfillPage />} />
              <Route path="/backfills/:id" element={<BackfillPage />} />
              <Route path="/link-slack" element={<LinkSlackPage />} />
              <Route path="/slack" element={<SlackPage />} />
              <Route path="/accounts" element={<AccountsPage />} />
              <Route path="/mailbox" element={<MailboxPage />} />
              <Route path="*" element={<NotFoundPage />} />
            </Routes>
          </Suspense>
        </ErrorBoundary>
      </main>
    </>
  );
}

function Me({ principal }: { principal: Principal }) {
  const leave = async () => {
    await call('/api/v1/session', { method: 'DELETE' });
    // As a new page, so that nothing of what was shown is kept for whoever comes next.
    window.location.assign('/');
  };
  return (
    <span className="me">
      {principal.name}
      {principal.id === 'auth-off' ? null : (
        <button type="button" className="plain" onClick={() => void leave()}>
          Log out
        </button>
      )}
    </span>
  );
}
