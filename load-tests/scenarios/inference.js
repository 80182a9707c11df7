// `make load SCENARIO=inference`: predictions while versions change.

import { model } from '../flows/inference.js';
import { optionsOf } from '../lib/options.js';
import { finish, start, summary } from '../lib/run.js';

export { batch, publish, row } from '../flows/inference.js';
export const options = optionsOf('inference');
export const setup = () => start(model);
export const teardown = finish;
export const handleSummary = summary('inference');
