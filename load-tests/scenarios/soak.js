// `make load SCENARIO=soak`: all requests over a long time, to detect growth.

import { model } from '../flows/inference.js';
import { analysts } from '../flows/mixed.js';
import { jobs } from '../flows/poll.js';
import { submissions } from '../flows/submit.js';
import { optionsOf } from '../lib/options.js';
import { finish, start, summary } from '../lib/run.js';

export { batch, publish, row } from '../flows/inference.js';
export { analyst } from '../flows/mixed.js';
export { list, status, unchanged, wait } from '../flows/poll.js';
export { repeat, submit } from '../flows/submit.js';
export const options = optionsOf('soak');
export const setup = () => start(jobs, model, analysts, submissions);
export const teardown = finish;
export const handleSummary = summary('soak');
