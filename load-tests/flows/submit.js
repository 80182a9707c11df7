// Submissions: jobs that queue faster than they are trained, and posts that are repeated under an idempotency key.

import exec from 'k6/execution';
import { flow } from '../lib/call.js';
import { job, post } from '../lib/jobs.js';
import { tokenOf } from '../lib/session.js';

/** The model that all submitted jobs make versions of. */
export function submissions(data) {
  data.submitted = `${data.run}-submit`;
  data.names.push(data.submitted);
  data.models.push(data.submitted);
}

export const submit = flow((data) => {
  post('submit', tokenOf(data), job(data.submitted, exec.scenario.iterationInTest));
});

/** A client that did not hear the first answer and posts again. */
export const repeat = flow((data) => {
  const n = exec.scenario.iterationInTest;
  const key = `${data.run}-${n}`;
  const order = job(data.submitted, n);
  const id = post('keyed', tokenOf(data), order, { key });
  if (id) post('repeated', tokenOf(data), order, { key, again: id });
});
