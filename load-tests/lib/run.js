// The frame of every scenario: a unique name, a session, the check of the jobs and a summary.

import { begin } from './session.js';
import { waitForJobs } from './jobs.js';
import { call } from './call.js';
import { budgets } from './options.js';

/** The context of every flow. `prepare` adds the data of the scenario. */
export function start(...prepare) {
  const data = { run: `load-${Date.now().toString(36)}`, names: [], models: [], delayed: [], session: begin() };
  for (const step of prepare) step(data);
  return { ...data, loaded_at: Date.now() };
}

/** Waits for the jobs of the run, counts them, and deletes the models of the run. */
export function finish(data) {
  const { token } = begin();
  waitForJobs(token, data.names, { cancelled: data.delayed });
  for (const name of data.models) {
    call('teardown', { method: 'DELETE', path: `/models/${name}?force=true`, token, status: 204 });
  }
}

/** The summary for `make load`, and one line per step for the terminal. */
export function summary(scenario) {
  return ({ metrics, setup_data }) => {
    const values = (metric) => (metrics[metric] ? metrics[metric].values : {});
    const steps = Object.entries(budgets.scenarios[scenario].steps).map(([name, limits]) => ({
      name,
      ...limits,
      requests: values(`requests{step:${name}}`).count || 0,
      // The `passes` of a rate are the true values, which are errors here.
      errors: values(`errors{step:${name}}`).passes || 0,
      latency: values(`latency{step:${name}}`),
    }));
    const missed = Object.entries(metrics).flatMap(([metric, { thresholds }]) =>
      Object.entries(thresholds || {}).filter(([, { ok }]) => !ok).map(([limit]) => `${metric}: ${limit}`));
    const result = {
      scenario,
      steps,
      missed,
      loaded_at: setup_data ? setup_data.loaded_at : 0,
      jobs_accepted: values('jobs_accepted').count || 0,
      jobs_ended: values('jobs_ended').count || 0,
      errors: values('errors').passes || 0,
      dropped: values('dropped_iterations').count || 0,
    };
    const line = ({ name, requests, errors, latency: l }) =>
      `  ${scenario} ${name}: ${requests} requests, ${errors} errors, p95 ${ms(l['p(95)'])}, p99 ${ms(l['p(99)'])}\n`;
    const written = { stdout: steps.map(line).join('') + missed.map((m) => `  MISSED ${m}\n`).join('') };
    if (__ENV.SUMMARY) written[__ENV.SUMMARY] = JSON.stringify(result);
    return written;
  };
}

const ms = (value) => (value === undefined ? '–' : `${value.toFixed(1)} ms`);
