// Typical use: sign in, read lists, train a model, wait, predict, sign out.

import exec from 'k6/execution';
import { call, flow } from '../lib/call.js';
import { finished, job, post } from '../lib/jobs.js';
import { login } from '../lib/session.js';

/** Model names are reused, because a new model per iteration would fill the inference role with unused models. */
const MODELS = 4;

export function analysts(data) {
  data.analysed = Array.from({ length: MODELS }, (_, i) => `${data.run}-analyst-${i}`);
  const { token } = data.session;
  for (const name of data.analysed) finished('setup', token, post('setup', token, job(name, 0)));
  data.names.push(...data.analysed);
  data.models.push(...data.analysed);
}

export const analyst = flow((data) => {
  const session = login('login');
  if (!session) return;
  const token = session.access_token;
  const listed = (key) => ({ body }) =>
    body.items.length > 0 && body.items.every((item) => item[key]) ? '' : 'no items';
  call('browse', { path: '/datasets', token, status: 200, judge: listed('name') });
  call('browse', { path: '/models?limit=20', token, status: 200, judge: listed('name') });
  call('browse', { path: '/training?limit=20', token, status: 200, judge: listed('job_id') });

  const n = exec.scenario.iterationInTest;
  const name = data.analysed[n % MODELS];
  const view = finished('train', token, post('order', token, job(name, n)));
  if (view) predict(token, name, view.model.version);
  const body = { refresh_token: session.refresh_token };
  call('logout', { method: 'POST', path: '/logout', body, token, status: 204 });
});

/** Predicts with the new version, which is loaded for the request. */
function predict(token, name, version) {
  const features = { sex: 'female', age: 29, pclass: 1 };
  call('predict', {
    method: 'POST',
    path: '/inference',
    pool: true,
    token,
    body: { model: name, version, features },
    status: 200,
    judge: ({ body }) => {
      if (body.model !== name || body.version !== version) return `not ${name} version ${version}`;
      // A woman in first class: every forest predicts survival.
      return body.survived === true && body.prob > 0.7 && body.prob <= 1 ? '' : `prob ${body.prob}`;
    },
  });
}
