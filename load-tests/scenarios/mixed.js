// `make load SCENARIO=mixed`: typical use.

import { analysts } from '../flows/mixed.js';
import { optionsOf } from '../lib/options.js';
import { finish, start, summary } from '../lib/run.js';

export { analyst } from '../flows/mixed.js';
export const options = optionsOf('mixed');
export const setup = () => start(analysts);
export const teardown = finish;
export const handleSummary = summary('mixed');
