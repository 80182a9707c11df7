// `make load SCENARIO=submit`: jobs are submitted faster than they are trained.

import { submissions } from '../flows/submit.js';
import { optionsOf } from '../lib/options.js';
import { finish, start, summary } from '../lib/run.js';

export { repeat, submit } from '../flows/submit.js';
export const options = optionsOf('submit');
export const setup = () => start(submissions);
export const teardown = finish;
export const handleSummary = summary('submit');
