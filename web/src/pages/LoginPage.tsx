import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { call, type Principal } from '../api.js';

export function LoginPage() {
  const client = useQueryClient();
  const [name, setName] = useState('admin');
  const [password, setPassword] = useState('');
  const login = useMutation({
    mutationKey: ['login'],
    mutationFn: () => call<Principal>('/api/v1/session', { method: 'POST', body: { name, password } }),
    onSuccess: (principal) => client.setQueryData(['session'], principal),
  });
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
        {login.error === null ? null : (
          <p className="problem" role="alert">
            {login.error.message}
          </p>
        )}
        <button type="submit" className="primary" disabled={login.isPending}>
          Log in
        </button>
        <p className="quiet">
          The first admin’s password was printed at the first start and is kept in
          .sallyport/credentials.json.
        </p>
      </form>
    </main>
  );
}
