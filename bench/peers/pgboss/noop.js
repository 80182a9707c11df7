// pg-boss with no-op jobs: `noop.js preload <jobs>` inserts them; `noop.js drain` runs them and regularly prints `<jobs
// done so far> <milliseconds>`. One worker process. BATCH jobs are fetched, handled and completed together, and the
// next batch is fetched at once if the last one was full (by default pg-boss waits half a second).
import { PgBoss } from 'pg-boss';

const [verb, count] = process.argv.slice(2);
const INSERT = 1000;
const boss = new PgBoss({ connectionString: process.env.DATABASE_URL, max: 10 });
boss.on('error', (error) => console.error(error));
await boss.start();
await boss.createQueue('noop');

if (verb === 'preload') {
  const data = { name: 'noop', algorithm: 'logistic_regression', features: ['sex'] };
  for (let left = Number(count); left > 0; left -= INSERT) {
    await boss.insert('noop', Array.from({ length: Math.min(left, INSERT) }, () => ({ data })));
  }
  await boss.stop();
} else {
  let done = 0;
  const report = () => process.stdout.write(`${done} ${performance.now().toFixed(1)}\n`);
  report();
  setInterval(report, 20);
  await boss.work(
    'noop',
    { batchSize: Number(process.env.BATCH), burstWhenBatchFull: true, pollingIntervalSeconds: 0.5, localConcurrency: 2 },
    async (jobs) => { done += jobs.length; },
  );
}
