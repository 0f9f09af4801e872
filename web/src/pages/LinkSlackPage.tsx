import { useEffect } from 'react';

const LINK = '/api/v1/slack/link';

/**
 * Where the page that links a Slack account sends whoever is not signed in: the login stands here until they are, and
 * then this leads back. The request waits in a cookie that only that page gets.
 */
export function LinkSlackPage() {
  useEffect(() => window.location.replace(LINK), []);
  return (
    <p className="quiet">
      <a href={LINK}>Link your Slack account</a>
    </p>
  );
}
