// Runs the jobs and prints one line per job: the microseconds from before the job was added to the start of its
// handler, both on the monotonic clock of the machine.
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
