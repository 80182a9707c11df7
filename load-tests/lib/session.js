// Sessions of the account in the environment.

import { fail } from 'k6';
import { call } from './call.js';

const EMAIL = __ENV.LOAD_EMAIL;
const PASSWORD = __ENV.LOAD_PASSWORD;
/** Access tokens are valid for an hour; a long soak test renews them earlier. */
const RENEW_MS = 30 * 60 * 1000;

let mine = null;

/** Signs in and returns the session. */
export function login(step) {
  const answer = call(step, {
    method: 'POST',
    path: '/login',
    body: { email: EMAIL, password: PASSWORD },
    status: 200,
    judge: ({ body }) => (body.access_token && body.refresh_token && body.user.role === 'admin' ? '' : 'no session'),
  });
  return answer && answer.body;
}

/** A token that does not expire soon. */
export function tokenOf(data) {
  mine = mine || data.session;
  if (Date.now() - mine.at > RENEW_MS) {
    mine = begin();
  }
  return mine.token;
}

/** The first session of a run. */
export function begin() {
  if (!EMAIL || !PASSWORD) fail('set LOAD_EMAIL and LOAD_PASSWORD to the credentials of an administrator');
  const session = login('setup');
  if (!session) fail('could not sign in');
  return { token: session.access_token, at: Date.now() };
}
