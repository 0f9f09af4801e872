import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { useLocation } from 'react-router-dom';
import { call, type Principal } from '../api.js';
import { signInAddress, signInProblem, useWays } from '../signIn.js';

export function LoginPage() {
  const client = useQueryClient();
  const [name, setName] = useState('admin');
  const [password, setPassword] = useState('');
  const login = useMutation({
    mutationKey: ['login'],
    mutationFn: () => call<Principal>('/api/v1/session', { method: 'POST', body: { name, password } }),
    onSuccess: (principal) => client.setQueryData(['session'], principal),
  });
  const location = useLocation();
  const { provider } = useWays().data ?? {};
  const problem = login.error?.message ?? (login.isIdle ? signInProblem(location.search) : undefined);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    login.mutate();
  };
  return (
    <main className="login">
      <title>Log in · Sallyport</title>
      <form className="card" onSubmit={submit}>
        <h1>
          <span aria-hidden="true" className="mark" /> Sallyport
        </h1>
        <label>
          Name
          <input
            value={name}
            onChange={(event) => setName(event.target.value)}
            autoComplete="username"
            required
          />
        </label>
        <label>
          Password
          <input
            type="password"
            value={password}
            onChange={(event) => setPassword(event.target.value)}
            autoComplete="current-password"
            required
            autoFocus
          />
        </label>
        {problem === undefined ? null : (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        <button type="submit" className="primary" disabled={login.isPending}>
          Log in
        </button>
        {provider === undefined ? null : (
          <a className="button" href={signInAddress(provider, location)}>
            Sign in with {provider.name}
          </a>
        )}
        <p className="quiet">
          The first admin’s password was printed at the first start, and is kept in credentials.json of the
          service’s home folder (.sallyport, unless it was started with another).
        </p>
      </form>
    </main>
  );
}
