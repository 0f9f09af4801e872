import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { BrowserRouter } from 'react-router-dom';
import { ApiError } from './api.js';
import { App } from './App.js';
import './style.css';

// A session that ended shows the login at once, whichever page noticed it.
const askForLogin = (error: unknown): void => {
  if (error instanceof ApiError && error.status === 401)
    void client.invalidateQueries({ queryKey: ['session'] });
};

const client = new QueryClient({
  // The session's own 401 and a wrong password are answers, not reasons to ask again.
  queryCache: new QueryCache({
    onError: (error, query) => (query.queryKey[0] === 'session' ? undefined : askForLogin(error)),
  }),
  mutationCache: new MutationCache({
    onError: (error, _variables, _result, mutation) =>
      mutation.options.mutationKey?.[0] === 'login' ? undefined : askForLogin(error),
  }),
  defaultOptions: {
    queries: {
      retry: (count, error) =>
        count < 2 && (!(error instanceof ApiError) || error.status === 0 || error.status >= 500),
      staleTime: 500,
    },
  },
});

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <BrowserRouter>
        <App />
      </BrowserRouter>
    </QueryClientProvider>
  </StrictMode>,
);
