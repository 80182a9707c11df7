// Training jobs: submit them, wait for them, and count the finished jobs of a run.

import { sleep } from 'k6';
import { Counter } from 'k6/metrics';
import { call, verdict } from './call.js';
import { budgets } from './options.js';

const accepted = new Counter('jobs_accepted');
const ended = new Counter('jobs_ended');

const FINAL = ['succeeded', 'failed', 'cancelled'];

/** A small forest on the built-in dataset. */
export function job(name, seed) {
  const features = ['sex', 'age', 'pclass'];
  return { name, algorithm: 'random_forest', features, params: { n_trees: 10 }, seed };
}

/** Submits a job and returns its id. `again` marks a repeated request. */
export function post(step, token, order, { key, again } = {}) {
  const answer = call(step, {
    method: 'POST',
    path: '/training',
    body: order,
    token,
    headers: key ? { 'idempotency-key': key } : {},
    status: 202,
    judge: ({ body, headers }) => {
      if (body.status_url !== `/training/${body.job_id}` || headers.Location !== body.status_url) return 'no location';
      if (again && body.job_id !== again) return `another job than ${again}`;
      return '';
    },
  });
  if (answer && !again) accepted.add(1);
  return answer && answer.body.job_id;
}

/** Waits with long polls until a job has finished, and returns it; null if it did not succeed in time. */
export function finished(step, token, id) {
  const deadline = Date.now() + budgets.drain_s * 1000;
  let tag = '';
  while (Date.now() < deadline) {
    const answer = call(step, {
      path: `/training/${id}?wait_s=10`,
      token,
      headers: tag ? { 'if-none-match': tag } : {},
      // 304: the job did not change within the ten seconds.
      status: tag ? [200, 304] : 200,
      judge: ({ status, body }) => (status === 304 || (body.job_id === id && body.status) ? '' : 'another job'),
    });
    if (!answer) return null;
    if (answer.status === 304) continue;
    tag = answer.headers.Etag;
    const view = answer.body;
    if (view.status === 'succeeded') {
      const whole = view.model && view.model.version > 0 && view.metrics && view.metrics.accuracy > 0.6;
      verdict(step, !whole, `${id} succeeded without a model or its metrics: ${JSON.stringify(view)}`);
      return whole ? view : null;
    }
    if (FINAL.includes(view.status)) break;
  }
  verdict(step, true, `${id} did not succeed`);
  return null;
}

/** Waits for all jobs of a run and counts them: every accepted job must have finished with the expected status. */
export function waitForJobs(token, names, { cancelled = [] } = {}) {
  for (const id of cancelled) {
    call('teardown', { method: 'POST', path: `/training/${id}/cancel`, token, status: 202 });
  }
  const deadline = Date.now() + budgets.drain_s * 1000;
  let found = 0;
  for (const name of names) {
    while (open(token, name) && Date.now() < deadline) sleep(0.5);
    for (const view of all(token, name)) {
      const meant = cancelled.includes(view.job_id) ? 'cancelled' : 'succeeded';
      verdict('ledger', view.status !== meant, `job ${view.job_id} is ${view.status}: ${JSON.stringify(view.error)}`);
      found += FINAL.includes(view.status) ? 1 : 0;
    }
  }
  ended.add(found);
}

/** Whether a job of this name is queued or running. */
function open(token, name) {
  const some = (status) => page(token, `name=${name}&status=${status}&limit=1`).items.length > 0;
  return some('queued') || some('running');
}

function all(token, name) {
  const jobs = [];
  let cursor = '';
  do {
    const { items, next_cursor } = page(token, `name=${name}&limit=100${cursor}`);
    jobs.push(...items);
    cursor = next_cursor ? `&cursor=${next_cursor}` : null;
  } while (cursor !== null);
  return jobs;
}

function page(token, query) {
  const judge = ({ body }) => (Array.isArray(body.items) ? '' : 'no list');
  const answer = call('teardown', { path: `/training?${query}`, token, status: 200, judge });
  return answer ? answer.body : { items: [], next_cursor: null };
}
