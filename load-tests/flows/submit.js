// Submissions: jobs that are queued faster than they are trained, and repeated requests with an idempotency key.

import exec from 'k6/execution';
import { flow } from '../lib/call.js';
import { job, post } from '../lib/jobs.js';
import { tokenOf } from '../lib/session.js';

/** The model of all submitted jobs. */
export function submissions(data) {
  data.submitted = `${data.run}-submit`;
  data.names.push(data.submitted);
  data.models.push(data.submitted);
}

export const submit = flow((data) => {
  post('submit', tokenOf(data), job(data.submitted, exec.scenario.iterationInTest));
});

/** A client that did not receive the first response and repeats the request. */
export const repeat = flow((data) => {
  const n = exec.scenario.iterationInTest;
  const key = `${data.run}-${n}`;
  const order = job(data.submitted, n);
  const id = post('keyed', tokenOf(data), order, { key });
  if (id) post('repeated', tokenOf(data), order, { key, again: id });
});
