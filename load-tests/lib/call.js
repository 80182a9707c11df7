// One HTTP request: sent, timed, and checked. Every unexpected result is an error.

import exec from 'k6/execution';
import http from 'k6/http';
import { Counter, Rate, Trend } from 'k6/metrics';
import { UNIT_S } from './options.js';

const API = (__ENV.LOAD_URL || 'http://127.0.0.1:8080').replace(/\/$/, '');
const INFERENCE = (__ENV.LOAD_INFERENCE_URL || API).replace(/\/$/, '');
const TIMEOUT = '75s';
/** Errors that one virtual user logs completely; further ones are counted. */
const MAX_LOGGED = 3;

const requests = new Counter('requests');
const errors = new Rate('errors');
const latency = new Trend('latency', true);

/** Iterations per `UNIT_S` by flow. k6 evaluates the options in every virtual user. */
const rates = {};
let logged = 0;
let late = 0;

/** Wraps a function for k6. An exception counts as an error. The delay since the scheduled start is added to the latency of
* the first request, because it is queueing in k6. */
export const flow = (body) => (data) => {
  const rate = (rates[exec.scenario.name] ??= exec.test.options.scenarios[exec.scenario.name].rate || 0);
  const due = exec.scenario.startTime + (exec.scenario.iterationInTest * UNIT_S * 1000) / rate;
  late = rate ? Math.max(0, Date.now() - due) : 0;
  try {
    body(data);
  } catch (error) {
    verdict('script', true, error.stack || error);
  }
};

/** Sends a request. `status` is the expected status, or a list. `judge` gets the response (with `.body` parsed if it is
* JSON) and returns an error text, or nothing. Returns the response, or null after an error. */
export function call(step, { method = 'GET', path, body, token, headers = {}, pool = false, status, judge }) {
  const params = { headers: { ...headers }, timeout: TIMEOUT, responseType: 'text', tags: { step } };
  if (token) params.headers.authorization = `Bearer ${token}`;
  if (body) params.headers['content-type'] = 'application/json';
  const url = (pool ? INFERENCE : API) + path;
  const response = http.request(method, url, body ? JSON.stringify(body) : null, params);
  // Connecting is part of `blocked`.
  const { blocked, duration } = response.timings;
  latency.add(late + blocked + duration, { step });
  late = 0;
  const answer = { status: response.status, headers: response.headers, ms: duration, body: parsed(response) };
  const wrong = [status].flat().includes(response.status)
    ? judged(judge, answer)
    : `status ${response.status} ${response.error}, not ${status}`;
  verdict(step, wrong, `${method} ${url}: ${wrong}: ${response.body}`);
  requests.add(1, { step });
  return wrong ? null : answer;
}

/** Records the duration of several requests together. */
export function took(step, ms) {
  latency.add(ms, { step });
  requests.add(1, { step });
}

/** Counts whether a result was as expected. */
export function verdict(step, wrong, story) {
  errors.add(Boolean(wrong), { step });
  if (wrong && logged < MAX_LOGGED) {
    logged += 1;
    console.error(`${step}: ${story}`.slice(0, 600));
  }
}

/** A missing field makes `judge` throw, which is reported as the error. */
function judged(judge, answer) {
  try {
    return judge ? judge(answer) : '';
  } catch (error) {
    return String(error);
  }
}

function parsed(response) {
  try {
    return JSON.parse(response.body);
  } catch {
    return null;
  }
}
