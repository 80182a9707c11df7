// Predictions for single rows and batches while new versions are published. The expected prediction of each version is
// known, so a wrong number is an error, and so is a batch from two versions.

import exec from 'k6/execution';
import { sleep } from 'k6';
import { call, flow, took, verdict } from '../lib/call.js';
import { finished, job, post } from '../lib/jobs.js';
import { tokenOf } from '../lib/session.js';

/** The same seed and data give the same model, so version n predicts like the model of seed `SEEDS[(n - 1) % 3]`. */
const SEEDS = [11, 22, 33];
const BATCH = 100;
const SWAP_LIMIT_MS = 10_000;
const LOAD_LIMIT_MS = 30_000;

const ROWS = Array.from({ length: BATCH }, (_, i) => ({
  sex: i % 2 ? 'male' : 'female',
  age: 1 + ((i * 7) % 75),
  pclass: 1 + (i % 3),
}));

const order = (model, n) => ({ ...job(model, SEEDS[n % SEEDS.length]), params: { n_trees: 50 } });

/** One version per seed, with its prediction for every row. */
export function model(data) {
  const { token } = data.session;
  data.model = `${data.run}-served`;
  data.names.push(data.model);
  data.models.push(data.model);
  data.expected = SEEDS.map((_, n) => {
    const { version } = finished('setup', token, post('setup', token, order(data.model, n))).model;
    return predictions(token, { model: data.model, version, instances: ROWS }).map(({ prob }) => prob);
  });
}

/** The first prediction of a version that may still be loading. */
function predictions(token, body) {
  const deadline = Date.now() + LOAD_LIMIT_MS;
  while (Date.now() < deadline) {
    // 404: the inference role does not know the version yet. 503: the version is loading.
    const answer = infer('setup', token, body, [200, 404, 503]);
    if (answer && answer.status === 200) return answer.body.predictions;
    sleep(0.1);
  }
  throw new Error(`${JSON.stringify(body).slice(0, 80)} was not served`);
}

const infer = (step, token, body, status, judge) =>
  call(step, { method: 'POST', path: '/inference', pool: true, token, body, status, judge });

/** The expected prediction of `version` for row `i`. */
const expected = (data, version, i) => data.expected[(version - 1) % SEEDS.length][i];

const wrong = (data, version, i, { prob, survived }) =>
  prob !== expected(data, version, i) || survived !== prob >= 0.5
    ? `row ${i} by version ${version}: ${prob}, ${survived}, not ${expected(data, version, i)}`
    : '';

export const row = flow((data) => {
  const i = exec.scenario.iterationInTest % BATCH;
  infer('row', tokenOf(data), { model: data.model, features: ROWS[i] }, 200, ({ body }) =>
    body.model === data.model ? wrong(data, body.version, i, body) : 'another model');
});

export const batch = flow((data) => {
  infer('batch', tokenOf(data), { model: data.model, instances: ROWS }, 200, ({ body }) =>
    body.predictions.length === BATCH
      ? body.predictions.map((one, i) => wrong(data, body.version, i, one)).find((found) => found)
      : `${body.predictions.length} predictions`);
});

let published = SEEDS.length;

/** Trains the next version, moves the alias production, and waits until the inference role uses the version. */
export const publish = flow((data) => {
  const began = Date.now();
  const token = tokenOf(data);
  const view = finished('train', token, post('train', token, order(data.model, published)));
  published += 1;
  if (view) {
    const { version } = view.model;
    verdict('train', version !== published, `version ${version} where ${published} was next`);
    const path = `/models/${data.model}/aliases/production`;
    if (call('promote', { method: 'PUT', path, body: { version }, token, status: 200 })) swapped(data, token, version);
  }
  sleep(Math.max(0, Number(__ENV.EVERY_S) - (Date.now() - began) / 1000));
});

/** Waits until the promoted version answers, and measures the time. */
function swapped(data, token, version) {
  const began = Date.now();
  while (Date.now() < began + SWAP_LIMIT_MS) {
    const answer = infer('row', token, { model: data.model, features: ROWS[0] }, 200);
    if (!answer) return;
    if (answer.body.version === version) {
      took('swap', Date.now() - began);
      return;
    }
    sleep(0.005);
  }
  verdict('swap', true, `version ${version} was not served in time`);
}
