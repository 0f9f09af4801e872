// Stands in for the service: says what it is told, and stops as SERVICE_STOPS wants: at once, or never.
console.log(`launch ${process.env.SALLYPORT_LAUNCH}`);
console.log(`pid ${process.pid}`);
let told = 0;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    console.log(`told ${signal} ${++told}`);
    if (process.env.SERVICE_STOPS === 'at once') process.exit(7);
  });
}
setInterval(() => undefined, 60_000);
