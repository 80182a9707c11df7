// The options of k6, from budgets.json: scenarios from its flows, thresholds from its limits.

/** The time unit of arrival rates: k6 needs an integer number of iterations. */
export const UNIT_S = 10;

const FILE = __ENV.BUDGETS || import.meta.resolve('../budgets.json');
export const budgets = JSON.parse(open(FILE));

/** The k6 options for one entry of `scenarios`. Each flow is an exported function of the script. */
export function optionsOf(name) {
  const { duration_s, flows, steps } = budgets.scenarios[name];
  const duration = Number(__ENV.DURATION_S || duration_s);
  const scenarios = {};
  for (const [flow, wanted] of Object.entries(flows)) {
    scenarios[flow] = { exec: flow, ...executor(wanted, duration), gracefulStop: `${budgets.drain_s}s` };
  }
  return {
    scenarios,
    thresholds: thresholds(steps),
    discardResponseBodies: true,
    noConnectionReuse: false,
    // A URL with a job id would become a separate time series.
    systemTags: ['scenario', 'status'],
    summaryTrendStats: ['count', 'p(50)', 'p(95)', 'p(99)', 'max'],
    setupTimeout: `${budgets.setup_s}s`,
    teardownTimeout: `${budgets.drain_s + budgets.setup_s}s`,
  };
}

function executor({ per_s, every_s, vus }, duration) {
  if (every_s) {
    return { executor: 'constant-vus', vus, duration: `${duration}s`, env: { EVERY_S: String(every_s) } };
  }
  const rate = { rate: Math.round(per_s * UNIT_S), timeUnit: `${UNIT_S}s` };
  return { executor: 'constant-arrival-rate', ...rate, duration: `${duration}s`, preAllocatedVUs: vus, maxVUs: vus };
}

function thresholds(steps) {
  const most = `rate<=${budgets.error_rate}`;
  // A dropped iteration is a request for which no virtual user was free: the rate was too low.
  const all = { errors: [most], 'errors{step:ledger}': [most], dropped_iterations: ['count==0'] };
  for (const [step, limits] of Object.entries(steps)) {
    all[`requests{step:${step}}`] = ['count>0'];
    all[`errors{step:${step}}`] = [most];
    // A threshold that is always met makes k6 report a step without limits.
    all[`latency{step:${step}}`] = limits.p99_ms
      ? [`p(95)<=${limits.p95_ms}`, `p(99)<=${limits.p99_ms}`]
      : ['max>=0'];
  }
  return all;
}
