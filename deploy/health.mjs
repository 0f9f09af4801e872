// The container's health check: is the service alive? Whether it is ready for work is told by /health/ready.
const port = process.env.PORT || '8080';
try {
  const answer = await fetch(`http://127.0.0.1:${port}/health/live`, { signal: AbortSignal.timeout(4_000) });
  process.exitCode = answer.ok ? 0 : 1;
} catch {
  process.exitCode = 1;
}
