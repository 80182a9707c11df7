// The frame around every scenario: a name of its own, a session at the start, a ledger and a summary at the end.

import { begin } from './session.js';
import { settle } from './jobs.js';
import { call } from './call.js';
import { budgets } from './options.js';

/** What every flow is given. `prepare` adds to it what a scenario needs. */
export function start(...prepare) {
  const data = { run: `load-${Date.now().toString(36)}`, names: [], models: [], delayed: [], session: begin() };
  for (const step of prepare) step(data);
  return { ...data, loaded_at: Date.now() };
}

/** Waits for the run's jobs, counts them, and removes the run's models. */
export function finish(data) {
  const { token } = begin();
  settle(token, data.names, { cancelled: data.delayed });
  for (const name of data.models) {
    call('teardown', { method: 'DELETE', path: `/models/${name}?force=true`, token, status: 204 });
  }
}

/** What `make load` reads, and a line a step for people. */
export function summary(scenario) {
  return ({ metrics, setup_data }) => {
    const values = (metric) => (metrics[metric] ? metrics[metric].values : {});
    const steps = Object.entries(budgets.scenarios[scenario].steps).map(([name, limits]) => ({
      name,
      ...limits,
      requests: values(`requests{step:${name}}`).count || 0,
      // A rate's `passes` are the values that were true, which here are the errors.
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
