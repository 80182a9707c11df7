// `make load SCENARIO=poll`: jobs are polled.

import { jobs } from '../flows/poll.js';
import { optionsOf } from '../lib/options.js';
import { finish, start, summary } from '../lib/run.js';

export { list, status, unchanged, wait } from '../flows/poll.js';
export const options = optionsOf('poll');
export const setup = () => start(jobs);
export const teardown = finish;
export const handleSummary = summary('poll');
