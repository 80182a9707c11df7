// BullMQ with jobs that keep the CPU busy for a millisecond: `spin.js preload <jobs>` adds them; `spin.js drain` runs them
// and regularly prints `<jobs done so far> <milliseconds>`. One worker process with 64 concurrent jobs.
import { Queue, Worker } from 'bullmq';

const [verb, count] = process.argv.slice(2);
const connection = { url: process.env.REDIS_URL };
const ADD = 1000;
const SPIN_MS = 1;

if (verb === 'preload') {
  const queue = new Queue('spin', { connection });
  const data = { name: 'bench', algorithm: 'logistic_regression', features: ['length', 'width'] };
  for (let left = Number(count); left > 0; left -= ADD) {
    await queue.addBulk(Array.from({ length: Math.min(left, ADD) }, () => ({ name: 'train', data })));
  }
  await queue.close();
} else {
  let done = 0;
  const report = () => process.stdout.write(`${done} ${performance.now().toFixed(1)}\n`);
  report();
  setInterval(report, 20);
  const spin = async () => {
    const end = performance.now() + SPIN_MS;
    while (performance.now() < end);
  };
  const worker = new Worker('spin', spin, { connection, concurrency: 64, removeOnComplete: { count: 0 } });
  worker.on('completed', () => { done += 1; });
}
