// Reading jobs: by id, with a valid ETag, in lists, and with long polls that time out.

import exec from 'k6/execution';
import { call, flow, verdict } from '../lib/call.js';
import { finished, job, post } from '../lib/jobs.js';
import { tokenOf } from '../lib/session.js';

const ENDED = 20;
const DELAYED = 40;
const PAGE = 20;
const WAIT_S = 1;

/** Finished jobs, and jobs with a start time in the far future, so that no job changes. */
export function jobs(data) {
  const { token } = data.session;
  const [ended, delayed] = [`${data.run}-ended`, `${data.run}-delayed`];
  const ids = [];
  for (let i = 0; i < ENDED; i += 1) ids.push(post('setup', token, job(ended, i)));
  for (const id of ids) finished('setup', token, id);
  const order = { ...job(delayed, 0), run_at: '2099-01-01T00:00:00Z' };
  for (let i = 0; i < DELAYED; i += 1) data.delayed.push(post('setup', token, order));
  data.names.push(ended, delayed);
  data.models.push(ended);
  data.listed = delayed;
  data.polled = ids.map((id) => ({ id, status: 'succeeded' }))
    .concat(data.delayed.map((id) => ({ id, status: 'queued' })));
  for (const known of data.polled) {
    known.tag = call('setup', { path: `/training/${known.id}`, token, status: 200 }).headers.Etag;
  }
}

const some = (all) => all[exec.scenario.iterationInTest % all.length];

export const status = flow((data) => {
  const { id, status } = some(data.polled);
  call('status', {
    path: `/training/${id}`,
    token: tokenOf(data),
    status: 200,
    judge: ({ body, headers }) => {
      if (body.job_id !== id || body.status !== status) return `not ${id} as ${status}`;
      if (!headers.Etag) return 'no ETag';
      return status === 'succeeded' && !body.metrics.roc_auc ? 'no metrics' : '';
    },
  });
});

export const unchanged = flow((data) => {
  const { id, tag } = some(data.polled);
  call('unchanged', {
    path: `/training/${id}`,
    token: tokenOf(data),
    headers: { 'if-none-match': tag },
    status: 304,
    judge: ({ body }) => (body ? 'a body' : ''),
  });
});

/** Two pages, newest first. */
export const list = flow((data) => {
  const judge = ({ body }) => {
    const ids = body.items.map((view) => view.job_id);
    if (ids.length !== PAGE || body.items.some((view) => view.name !== data.listed)) return 'not the jobs asked for';
    return ids.every((id, i) => i === 0 || id < ids[i - 1]) ? '' : 'not newest first';
  };
  const page = (cursor) =>
    call('list', {
      path: `/training?name=${data.listed}&limit=${PAGE}${cursor}`,
      token: tokenOf(data),
      status: 200,
      judge,
    });
  const first = page('');
  const second = first && page(`&cursor=${first.body.next_cursor}`);
  if (second && second.body.items[0].job_id >= first.body.items[PAGE - 1].job_id) {
    verdict('list', true, 'the pages overlap');
  }
});

/** A long poll for a job that does not change must be answered when the wait ends. */
export const wait = flow((data) => {
  const { id, tag } = data.polled.slice(ENDED)[exec.scenario.iterationInTest % DELAYED];
  call('wait', {
    path: `/training/${id}?wait_s=${WAIT_S}`,
    token: tokenOf(data),
    headers: { 'if-none-match': tag },
    status: 304,
    judge: ({ ms }) => (ms < WAIT_S * 1000 - 1 ? `answered after ${ms} ms` : ''),
  });
});
