// Loaded into the service before its own code: when the launcher is gone, however it went, the service stops too.
if (process.channel !== undefined) {
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel.unref();
}
