// pg-boss with no-op jobs: `noop.js preload <jobs>` inserts them, `noop.js drain` works on them and prints
// `<jobs done so far> <milliseconds>` a few times a second. One worker process; settings as its documentation advises
// for throughput: large batches, and the next one fetched as long as the last was full.
import { PgBoss } from 'pg-boss';

const [verb, count] = process.argv.slice(2);
const BATCH = 1000;
const boss = new PgBoss({ connectionString: process.env.DATABASE_URL, max: 10 });
boss.on('error', (error) => console.error(error));
await boss.start();
await boss.createQueue('noop');

if (verb === 'preload') {
  const data = { name: 'bench', algorithm: 'noop', features: ['sex'] };
  for (let left = Number(count); left > 0; left -= BATCH) {
    await boss.insert('noop', Array.from({ length: Math.min(left, BATCH) }, () => ({ data })));
  }
  await boss.stop();
} else {
  let done = 0;
  await boss.work(
    'noop',
    { batchSize: BATCH, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5, localConcurrency: 2 },
    async (jobs) => { done += jobs.length; },
  );
  setInterval(() => process.stdout.write(`${done} ${performance.now().toFixed(1)}\n`), 100);
}
