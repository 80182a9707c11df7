// Takes the jobs and prints one line a job: the microseconds from before it was added to the start of its handler.
// Both times are of the machine's one monotonic clock.
import { Worker } from 'bullmq';

const worker = new Worker(
  'training',
  async (job) => {
    const now = process.hrtime.bigint();
    process.stdout.write(`${(now - BigInt(job.data.before)) / 1000n}\n`);
  },
  { connection: { url: process.env.REDIS_URL }, concurrency: 1, removeOnComplete: { count: 0 } },
);
await worker.waitUntilReady();
