// graphile-worker with no-op jobs: `noop.js preload <jobs>` inserts them; `noop.js drain` runs them and regularly
// prints `<jobs done so far> <milliseconds>`. One worker process with the settings of its performance page. With BATCH
// it uses the local queue of that page and batched completions, which are fast but unsafe: if the worker dies, the jobs
// stay locked for four hours.
import { makeWorkerUtils, run, Logger } from 'graphile-worker';
import pg from 'pg';

const [verb, count] = process.argv.slice(2);
const connectionString = process.env.DATABASE_URL;
const logger = new Logger(() => (level, message) => { if (level === 'error') console.error(message); });

if (verb === 'preload') {
  const utils = await makeWorkerUtils({ connectionString, logger });
  await utils.migrate();
  await utils.release();
  const client = new pg.Client({ connectionString });
  await client.connect();
  const payload = { name: 'noop', algorithm: 'logistic_regression', features: ['sex'] };
  for (let left = Number(count); left > 0; left -= 10_000) {
    await client.query(
      `SELECT count(*) FROM graphile_worker.add_jobs((SELECT array_agg(json_populate_record(NULL::graphile_worker.job_spec,
         json_build_object('identifier', 'noop', 'payload', $1::json))) FROM generate_series(1, $2::int)))`,
      [JSON.stringify(payload), Math.min(left, 10_000)],
    );
  }
  await client.end();
} else {
  const batching = { localQueue: { size: Number(process.env.BATCH) }, completeJobBatchDelay: 0, failJobBatchDelay: 0 };
  let done = 0;
  const report = () => process.stdout.write(`${done} ${performance.now().toFixed(1)}\n`);
  report();
  setInterval(report, 20);
  const runner = await run({
    preset: {
      worker: {
        connectionString, logger, concurrentJobs: 24, maxPoolSize: 25,
        ...(process.env.BATCH ? batching : {}),
      },
    },
    taskList: { noop: async () => {} },
    parsedCronItems: [],
  });
  runner.events.on('job:complete', () => { done += 1; });
}
