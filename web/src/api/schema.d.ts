// Generated from docs/openapi.json by `npm run generate`. Do not edit.

export interface paths {
    "/admin/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read the audit trail.
         * @description Lists the changes to accounts and the actions of administrators, newest first. A filtered list reads at most 10,000
         *     records per request: a page may have few records, or none, and still have a `next_cursor`.
         */
        get: operations["read_audit_trail"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List accounts.
         * @description Lists all accounts, newest first.
         */
        get: operations["list_accounts"];
        put?: never;
        /**
         * Invite a person.
         * @description Creates an account with a one-time password, which is shown only in this response. The one-time password works for one
         *     sign-in within `auth.one_time_password_ttl_s` seconds. The owner then sets a password with `PUT /me/password`.
         */
        post: operations["invite_account"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/users/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Delete an account.
         * @description Deletes an account and ends its sessions. Its e-mail address can be used again. Its jobs, datasets and schedules stay, and
         *     the audit trail keeps its id.
         */
        delete: operations["delete_account"];
        options?: never;
        head?: never;
        /**
         * Change an account.
         * @description Changes the role of an account, or disables or enables the account. The change applies to the next request of the
         *     account. A new role or disabling revokes the refresh tokens of the account and ends its event streams.
         */
        patch: operations["change_account"];
        trace?: never;
    };
    "/admin/users/{id}/reset-password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Reset a password.
         * @description Replaces the password of an account with a one-time password, which is shown only in this response. All sessions of the
         *     account end.
         */
        post: operations["reset_password"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/algorithms": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List algorithms.
         * @description Lists every algorithm with the types, bounds and defaults of its parameters.
         */
        get: operations["list_algorithms"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List API keys.
         * @description Lists the keys of the own account, newest first, without the keys themselves.
         */
        get: operations["list_api_keys"];
        put?: never;
        /**
         * Create an API key.
         * @description Creates a key for scripts and services of the own account. The key is shown only in this response; the server stores a
         *     hash. Send it as `Authorization: Bearer ty_…`, like an access token. A key can't change accounts, passwords or keys, so
         *     this request needs an access token.
         */
        post: operations["create_api_key"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api-keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Delete an API key.
         * @description Revokes a key of the own account. Every process refuses the key within five seconds.
         */
        delete: operations["delete_api_key"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/datasets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List datasets.
         * @description Lists the newest version of every dataset, newest upload first, with the first 50 columns of each.
         */
        get: operations["list_datasets"];
        put?: never;
        /**
         * Upload a dataset.
         * @description Uploads a table with delimiters, as the body or as the field `file` of a multipart form; gzip is recognized by its first
         *     bytes. Delimiter, decimal mark, encoding, header and column types are detected from the file and reported in the answer. Each
         *     can be set by a parameter, which wins. With `dry_run=true` the answer shows what would be stored, and nothing is stored.
         */
        post: operations["upload_dataset"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/datasets/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a dataset.
         * @description Returns a dataset with the profile of every column.
         */
        get: operations["get_dataset"];
        put?: never;
        post?: never;
        /**
         * Delete a dataset.
         * @description Deletes every version of a dataset. Models that were trained on it stay.
         */
        delete: operations["delete_dataset"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/datasets/{name}/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Preview a dataset.
         * @description Returns the first 50 rows, or fewer if they are very long. Long values are shortened.
         */
        get: operations["preview_dataset"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Liveness: whether the process works. */
        get: operations["health"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Readiness: whether the process can serve requests. All dependencies are checked concurrently. */
        get: operations["ready"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/inference": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Predict with a published model: one row (`features`) or many rows (`instances`).
         * @description The field of the prediction has the name of the target. The value is a boolean if the target is 0/1, true/false or
         *     yes/no, a number for a regression, and otherwise a label with `probabilities` per class. If the target is named
         *     `prob`, `probabilities`, `model`, `version`, `explanation`, `warnings` or `predictions`, the field is named `prediction`.
         *     A missing or `null` feature is imputed as in training and reported in `warnings`; so is a category that did not occur in
         *     training. With `explain` the response contains the contribution of each feature to the prediction.
         *
         *     A request with neither `version` nor `alias` is answered by the version that `production` points at. If the model's traffic
         *     has weights, they distribute such requests over several versions (`PUT /models/{name}/traffic`).
         */
        post: operations["predict"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/inference/drift": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Compare recent requests of a model with its training.
         * @description For each feature, and for the predictions: the shares of the training rows and of the recent rows in the same bins, and
         *     their population stability index (PSI). The features with the largest PSI come first, at most 1,000 of them. Only the
         *     requests of the process that answers count: behind a load balancer each request can be answered by another process.
         */
        get: operations["get_drift"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign in.
         * @description Returns an access token and a refresh token for the next access token. With `session=cookie` the response has no refresh
         *     token: the browser keeps it in an HttpOnly cookie.
         */
        post: operations["login"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign out.
         * @description Ends the session of the refresh token. An unknown token is not an error. A browser session sends no body and the header
         *     `X-Trainyard-CSRF`, as for `/refresh`; its cookie is removed.
         */
        post: operations["logout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the own account.
         * @description Returns the account of the access token or API key, and the sections that the caller may read. `role` is the effective role
         *     of an API key.
         */
        get: operations["me"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/me/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Change the password.
         * @description Changes the password and ends all other sessions of the account. A wrong current password counts as a failed sign-in.
         */
        put: operations["change_password"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All metrics in the Prometheus text format. */
        get: operations["metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/models": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List models.
         * @description Lists all models, newest first, each with its newest version, without the curves of its metrics.
         */
        get: operations["list_models"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/models/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a model.
         * @description Returns a model with its versions, newest first, without the curves of their metrics.
         */
        get: operations["get_model"];
        put?: never;
        post?: never;
        /**
         * Delete a model.
         * @description Deletes a model with all versions and artifacts, its history and, with `force`, its aliases and its traffic.
         */
        delete: operations["delete_model"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/models/{name}/aliases/{alias}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Move an alias.
         * @description Points an alias at a version, atomically. `/inference` serves the version of `production`, unless the traffic of the model has
         *     weights: then moving `production` is refused, or deletes the weights with `force`.
         */
        put: operations["move_alias"];
        post?: never;
        /**
         * Remove an alias.
         * @description Removes an alias. Its version stays.
         */
        delete: operations["remove_alias"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/models/{name}/aliases/{alias}/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the history of an alias.
         * @description Lists which version the alias pointed at and when, newest first. The newest 1,000 changes are kept.
         */
        get: operations["list_alias_history"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/models/{name}/aliases/{alias}/rollback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Roll back an alias.
         * @description Moves an alias to the version that it pointed at before, atomically. Further rollbacks go further back.
         */
        post: operations["roll_back_alias"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/models/{name}/traffic": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the traffic of a model.
         * @description Returns the weights and the shadow versions of a model; both are empty if no traffic is set.
         */
        get: operations["get_traffic"];
        /**
         * Set the traffic of a model.
         * @description Distributes requests that name neither a version nor an alias over several versions by weights, and sends copies of these
         *     requests to shadow versions. Requests with the same `X-Trainyard-Request-Key` are answered by the same version, and a changed
         *     weight moves as few keys as possible. The weights decide instead of `production` until they are deleted. A process that has not
         *     loaded a version yet answers with the version that served before.
         */
        put: operations["set_traffic"];
        post?: never;
        /**
         * Delete the traffic of a model.
         * @description Deletes the weights and the shadow versions of a model, so that `production` answers.
         */
        delete: operations["delete_traffic"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/models/{name}/versions/{version}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a version.
         * @description Returns one version of a model with its signature.
         */
        get: operations["get_version"];
        put?: never;
        post?: never;
        /**
         * Delete a version.
         * @description Deletes a version with its artifact and, with `force`, its aliases and its traffic.
         */
        delete: operations["delete_version"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/models/{name}/versions/{version}/artifact": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Download an artifact.
         * @description Downloads an artifact. The SHA-256 is verified before the first byte is sent. With `format=onnx` the model is converted to
         *     an ONNX file that contains the preprocessing.
         */
        get: operations["download_artifact"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/models/{name}/versions/{version}/card": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a model card.
         * @description Returns the model card of a version: its data, parameters, features, metrics and warnings as Markdown, made from the figures
         *     of the training.
         */
        get: operations["get_model_card"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * This document.
         * @description The OpenAPI 3.1 document of this server.
         */
        get: operations["openapi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/predictions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Submit a prediction job.
         * @description Predicts every row of a dataset with a model version. The job is watched, cancelled and retried like a training job;
         *     `GET /predictions/{job_id}/result` downloads the result. A feature without a column is imputed, as by `POST /inference`.
         */
        post: operations["submit_prediction"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/predictions/{job_id}/result": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Download a result.
         * @description Downloads the result of a succeeded prediction job: one line for each row of the dataset, in the same order, below a line
         *     with the names of the columns. Each part of the result is verified before it is sent.
         */
        get: operations["download_result"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/queue": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the queue.
         * @description Returns the numbers of queued and running jobs, and the active workers.
         */
        get: operations["get_queue"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/queue/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the history of the queue.
         * @description Returns one sample a minute, oldest first, of up to 24 hours. Minutes in which no server was running have no sample.
         */
        get: operations["get_queue_history"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/queue/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Pause the queue.
         * @description Pauses the queue: no job starts. Running jobs continue, and new jobs are accepted.
         */
        post: operations["pause_queue"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/queue/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Resume the queue.
         * @description Resumes the queue: queued jobs start again.
         */
        post: operations["resume_queue"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Exchange a refresh token.
         * @description Exchanges a refresh token for a new pair of tokens. A refresh token works once; a second use ends the session. Within ten
         *     seconds the same client gets the same pair once more, so that two tabs can refresh concurrently.
         *
         *     A browser session sends no body. Its token is in the cookie of the sign-in, and the request has the header
         *     `X-Trainyard-CSRF`.
         */
        post: operations["refresh"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/schedules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List schedules.
         * @description Lists all schedules, newest first.
         */
        get: operations["list_schedules"];
        put?: never;
        /**
         * Create a schedule.
         * @description A schedule submits a training job repeatedly. `cron` has five fields (minute, hour, day of month, month, day of week), or
         *     six fields with seconds first, or is a nickname such as `@daily`. `cron` uses the time zone `timezone`. At the start of
         *     daylight saving time, a fixed time of day that does not exist is moved behind the gap; at its end, a time that exists
         *     twice fires once. The training request is validated now and at each run; a later refusal shows as `last_error`. The jobs
         *     count against the limits on queued and running jobs.
         */
        post: operations["create_schedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/schedules/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a schedule.
         * @description Returns a schedule with its next times.
         */
        get: operations["get_schedule"];
        put?: never;
        post?: never;
        /**
         * Delete a schedule.
         * @description Deletes a schedule and its runs. Its jobs stay, and queued or running jobs continue.
         */
        delete: operations["delete_schedule"];
        options?: never;
        head?: never;
        /**
         * Change a schedule.
         * @description Changes, pauses or resumes a schedule. Submitted jobs do not change.
         */
        patch: operations["change_schedule"];
        trace?: never;
    };
    "/schedules/{id}/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the runs of a schedule.
         * @description Lists the latest times of a schedule with their outcomes, latest first. Skipped and refused times have a reason.
         */
        get: operations["list_schedule_runs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/schedules/{id}/trigger": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Trigger a schedule.
         * @description Submits a job of a schedule now, also when the schedule is paused or has an active job. The caller owns the job.
         */
        post: operations["trigger_schedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/signup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign up.
         * @description Creates an account with the role `user`.
         */
        post: operations["signup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/training": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List jobs.
         * @description Lists jobs, newest first. `queue_position` and the curves of the metrics are left out; `GET /training/{job_id}` has
         *     them. A page may have fewer jobs than `limit`, or none, when few of many jobs match several filters: continue with
         *     `next_cursor` until it is null.
         */
        get: operations["list_jobs"];
        put?: never;
        /**
         * Submit a training job.
         * @description Submits a training job. With an `Idempotency-Key`, a repeated request gets the same response and submits no second job.
         */
        post: operations["submit_job"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/training/actions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Start a bulk action.
         * @description Cancels or retries all jobs that match a filter now, at most 100,000. Jobs that are submitted later, or match later, are
         *     not changed. The server works through the jobs in small steps, oldest first. Jobs that cannot be changed are skipped: to
         *     cancel, a job must be queued or running; to retry, failed or cancelled. A server that stops is replaced by another one.
         */
        post: operations["start_action"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/training/actions/{action_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a bulk action.
         * @description Returns a bulk action and its progress. A finished action is kept for `sweep.keep_actions_s`.
         */
        get: operations["get_action"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/training/bulk": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Submit many training jobs.
         * @description Submits up to 1,000 jobs, all or none. The jobs are queued in the order of the request. An `Idempotency-Key` stands for
         *     the whole request.
         */
        post: operations["submit_jobs"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/training/count": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Count jobs.
         * @description Counts the jobs that match, up to 100,000.
         */
        get: operations["count_jobs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/training/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Retry many jobs.
         * @description Queues the failed (or cancelled) jobs that match a filter again, each with all of its attempts, on the same dataset
         *     version. Jobs whose dataset was deleted, and jobs of accounts at the job limit, are skipped and listed. The jobs are
         *     enqueued within seconds, by fair scheduling.
         */
        post: operations["retry_jobs"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/training/{job_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a job.
         * @description Returns a job. With `wait_s`, the response comes when the job changes, when it has finished, or after that time.
         */
        get: operations["get_job"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/training/{job_id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel a job.
         * @description Cancels a job: a queued job at once, a running job within two seconds.
         */
        post: operations["cancel_job"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/training/{job_id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Follow a job.
         * @description The changes of a job as Server-Sent Events. `status` (`job_id, status, attempt, phase, progress, eta_s, error, model`)
         *     comes first, and again when the status changes. `progress` has `progress, phase, eta_s`; `log` has `at, level, message`;
         *     `metric` has `at, name, value, step`. The stream ends after the final status, which follows the last log line. A client
         *     that reconnects sends the last `id` as `Last-Event-ID` and gets the events that it missed, none twice. When the server
         *     stops, and after the lifetime of an access token, the stream ends early, with a `retry`.
         */
        get: operations["follow_job"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/training/{job_id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Retry a job.
         * @description Queues a failed or cancelled job again, with all of its attempts, on the same dataset version.
         */
        post: operations["retry_job"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The name, version and extensions of the server. */
        get: operations["v2_server_metadata"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/health/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the server receives requests. */
        get: operations["v2_server_live"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/health/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the models that were published at the start are loaded, or have failed to load, and all required ones are loaded. */
        get: operations["v2_server_ready"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/models/stats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The statistics of all loaded versions of this process. A model named `stats` has its metadata under its versions only. */
        get: operations["v2_statistics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/models/{model}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The inputs and outputs of the version that serves: the one that `production` points at, or the one with the largest weight. */
        get: operations["v2_model_metadata"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/models/{model}/infer": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Predict with the version that serves: by the weights of the model's traffic, else the one that `production` points at.
         * @description The same predictions as `POST /inference`. Inputs: one tensor per feature by its name, of the shape `[n]` or `[n, 1]`;
         *     a model whose features are all numbers also takes one tensor of the shape `[n, features]`. A `null`, a NaN and an empty
         *     text are missing values; an input that is absent is refused. Outputs: `predict`, and `predict_proba` for classes.
         *     Tensors can be binary data after the JSON, whose length the header `Inference-Header-Content-Length` then contains.
         */
        post: operations["v2_infer"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/models/{model}/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the version that serves is loaded: the one that `production` points at, or the one with the largest weight. */
        get: operations["v2_model_ready"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/models/{model}/stats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The statistics of the loaded versions of a model. */
        get: operations["v2_model_statistics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/models/{model}/versions/{version}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The inputs and outputs of a version. Loads the version if it is not loaded. */
        get: operations["v2_version_metadata"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/models/{model}/versions/{version}/infer": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Predict with a version, as without one. Loads the version if it is not loaded. */
        post: operations["v2_infer_version"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/models/{model}/versions/{version}/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether a version is loaded. The request does not load it. */
        get: operations["v2_version_ready"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/models/{model}/versions/{version}/stats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The statistics of a version. */
        get: operations["v2_version_statistics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/repository/index": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Every published version, and whether this process has loaded it. */
        post: operations["v2_repository_index"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/repository/models/{model}/load": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make sure that a version is loaded in this process: the one that serves, or `parameters.version`.
         * @description Aliases and the traffic of the model decide which versions are served, and their versions are loaded without this call. Another
         *     version stays loaded until other such versions need its place (`inference.max_pinned_versions`, `inference.memory_budget_mb`) or
         *     until it is unloaded.
         */
        post: operations["v2_load_model"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/repository/models/{model}/unload": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Release the versions of a model in this process that neither an alias nor the traffic uses, or only `parameters.version`.
         * @description Versions with an alias or in the traffic stay loaded: change the alias or the traffic to stop serving them. A later request
         *     that names a released version loads it again.
         */
        post: operations["v2_unload_model"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/webhooks/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List webhook deliveries.
         * @description Lists the deliveries to the `webhook_url`s of jobs, newest first.
         */
        get: operations["list_webhook_deliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/webhooks/deliveries/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a webhook delivery.
         * @description Returns a delivery with its attempts and the last response.
         */
        get: operations["get_webhook_delivery"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/webhooks/deliveries/{id}/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Replay a webhook delivery.
         * @description Makes a delivery in any status due at once, with a new series of attempts and the same `webhook-id`.
         */
        post: operations["replay_webhook_delivery"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description An accepted job. Poll `status_url` for its status. */
        AcceptedView: {
            /**
             * Format: uuid
             * @description The id of the job.
             * @example 01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11
             */
            job_id: string;
            /** @description The status of the job at the time of the response. */
            status: components["schemas"]["StatusView"];
            /**
             * @description The URL of the job.
             * @example /training/01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11
             */
            status_url: string;
        };
        /** @description Changes to an account. Fields that are left out do not change. */
        AccountPatch: {
            /** @description Whether the account is disabled. */
            disabled?: boolean | null;
            role?: components["schemas"]["RoleView"] | null;
        };
        /** @description An account, for administrators. */
        AccountView: components["schemas"]["UserView"] & {
            /**
             * @description Whether the account is disabled: sign-ins and tokens of the account are refused.
             * @example false
             */
            disabled: boolean;
        };
        /** @description An accepted bulk action. Poll `status_url` for its progress. */
        ActionAcceptedView: {
            /**
             * Format: uuid
             * @description The id of the action.
             * @example 01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11
             */
            action_id: string;
            /** @description The state of the action at the time of the response. */
            status: components["schemas"]["ActionStatusView"];
            /**
             * @description The URL of the action.
             * @example /training/actions/01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11
             */
            status_url: string;
            /**
             * Format: int64
             * @description The number of jobs of the action.
             * @example 4211
             */
            total: number;
        };
        /**
         * @description What a bulk action does with each job.
         * @enum {string}
         */
        ActionKindView: "cancel" | "retry";
        /**
         * @description A bulk action on all jobs that match a filter.
         * @example {
         *       "action": "retry",
         *       "expect_count": 12,
         *       "filter": {
         *         "error_code": "crashed",
         *         "status": "failed"
         *       }
         *     }
         */
        ActionRequest: {
            /** @description What to do with each job. */
            action: components["schemas"]["ActionKindView"];
            /**
             * Format: int64
             * @description The number of jobs that match, from `GET /training/count`. The action starts only if the number is still the same.
             * @example 12
             */
            expect_count?: number | null;
            /** @description Which jobs; the values are those of `GET /training`. */
            filter: components["schemas"]["FilterView"];
        };
        /**
         * @description The state of a bulk action.
         * @enum {string}
         */
        ActionStatusView: "running" | "succeeded" | "failed";
        /** @description A bulk action and its progress. */
        ActionView: {
            /** @description What is done with each job. */
            action: components["schemas"]["ActionKindView"];
            /**
             * Format: uuid
             * @description The id of the action.
             */
            action_id: string;
            /**
             * Format: int64
             * @description The number of jobs that were cancelled or queued again. The workers stop running jobs within seconds.
             * @example 1198
             */
            changed: number;
            /**
             * Format: date-time
             * @description When the action started.
             */
            created_at: string;
            /**
             * Format: uuid
             * @description The account that started the action.
             */
            created_by: string;
            /**
             * @description Why the action failed.
             * @example the database refused a change
             */
            error?: string;
            /** @description The filter of the request. */
            filter: components["schemas"]["FilterView"];
            /**
             * Format: date-time
             * @description When the action finished.
             */
            finished_at: string | null;
            /**
             * Format: int64
             * @description The number of changed and skipped jobs.
             * @example 1200
             */
            processed: number;
            /**
             * Format: int64
             * @description The number of jobs that were left unchanged.
             * @example 2
             */
            skipped: number;
            /** @description The first hundred skipped jobs. */
            skipped_jobs: components["schemas"]["SkippedView"][];
            /** @description The state of the action. */
            status: components["schemas"]["ActionStatusView"];
            /**
             * Format: int64
             * @description The number of jobs that matched when the action started.
             * @example 4211
             */
            total: number;
        };
        /**
         * @description The name of an algorithm; `GET /algorithms` lists all.
         * @enum {string}
         */
        AlgorithmName: "random_forest" | "extra_trees" | "gradient_boosting" | "decision_tree" | "svm" | "logistic_regression" | "ridge" | "auto";
        /** @description An algorithm. */
        AlgorithmView: {
            /**
             * @description What the algorithm is good for, in one sentence.
             * @example Many randomised trees that vote; a strong default for mixed tables.
             */
            description: string;
            /**
             * Format: int64
             * @description Most rows of a dataset with the default engine; `null` without a limit of its own.
             */
            max_rows: number | null;
            /**
             * @description The value for `algorithm` in `POST /training`.
             * @example random_forest
             */
            name: string;
            /**
             * @description JSON Schema (2020-12) of `params`: types, bounds, defaults, titles, descriptions. For forms, each parameter has the
             *     annotations `x-group` (`model`, `evaluation`, `probabilities` or `advanced`) and `x-order` (its position, from 1 on), and some
             *     have `x-unit`, `x-task` (the only task on which it has an influence) and `x-when` (values of another parameter with
             *     which it has an influence).
             */
            params: Record<string, never>;
            /** @description Whether the algorithm supports classification. */
            supports_classification: boolean;
            /** @description Whether the algorithm supports regression of numeric targets. */
            supports_regression: boolean;
        };
        /** @description A change of an alias. */
        AliasMoveView: {
            /**
             * @description What led to the change.
             * @example promoted: roc_auc 0.87 is better than 0.86 of version 3
             */
            detail: string | null;
            /**
             * Format: int64
             * @description The version before; `null` if the alias did not exist.
             * @example 3
             */
            from: number | null;
            guard: components["schemas"]["GuardView"] | null;
            /**
             * Format: date-time
             * @description When the alias changed.
             */
            moved_at: string;
            /**
             * Format: uuid
             * @description The account that changed the alias; `null` for the server itself.
             */
            moved_by: string | null;
            /**
             * Format: int64
             * @description The number of the change, from 1.
             * @example 7
             */
            number: number;
            /** @description Why the alias changed. */
            reason: components["schemas"]["MoveReasonName"];
            /**
             * Format: int64
             * @description The version since then; `null` if the alias was removed.
             * @example 4
             */
            to: number | null;
        };
        /** @description The target of an alias. */
        AliasRequest: {
            guard?: components["schemas"]["GuardRequest"] | null;
            /**
             * Format: int64
             * @description A version of the model.
             * @example 3
             */
            version: number;
        };
        /** @description An alias and its version. */
        AliasView: {
            /**
             * @description The alias.
             * @example production
             */
            alias: string;
            /**
             * @description The name of the model.
             * @example titanic-rf
             */
            name: string;
            /**
             * Format: int64
             * @description The version that the alias points at.
             * @example 3
             */
            version: number;
        };
        /** @description A new API key. */
        ApiKeyRequest: {
            /**
             * Format: date-time
             * @description When the key expires; never when left out.
             * @example 2027-01-31T12:00:00Z
             */
            expires_at?: string | null;
            /**
             * @description A name to recognize the key by. Two keys may have the same name.
             * @example shop-backend
             */
            name: string;
            role?: components["schemas"]["RoleView"] | null;
        };
        /** @description An API key, without the key itself. */
        ApiKeyView: {
            /**
             * Format: date-time
             * @description When the key was created.
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When the key expires; `null` for never.
             */
            expires_at: string | null;
            /**
             * Format: uuid
             * @description The id, for the deletion.
             * @example 01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11
             */
            id: string;
            /**
             * Format: date-time
             * @description When the key was last used, with a precision of about a minute; `null` for never.
             */
            last_used_at: string | null;
            /**
             * @description The name that the owner gave.
             * @example shop-backend
             */
            name: string;
            /**
             * @description The first characters of the key, to recognize it.
             * @example ty_AbCd
             */
            prefix: string;
            /** @description The highest role of the key. While the account has a lower role, the lower role applies. */
            role: components["schemas"]["RoleView"];
        };
        /** @description One record of the audit trail. */
        AuditView: {
            /**
             * @description The action.
             * @example dataset.create
             */
            action: string;
            /**
             * Format: uuid
             * @description The account that did the action; `null` for the server itself.
             */
            actor: string | null;
            /**
             * Format: date-time
             * @description When the action happened.
             */
            at: string;
            /** @description More fields, which depend on the action. */
            detail: unknown;
            /**
             * Format: uuid
             * @description The id of the record.
             */
            id: string;
            /** @description The id of the request. */
            request_id: string | null;
            /**
             * @description The object of the action: a kind with a name or an id.
             * @example dataset:titanic
             */
            subject: string;
        };
        /**
         * @description A guarded promotion: the new version gets the alias `production` if its metric on the held-out part is better than that of the
         *     version that `production` points at. The first version of a model always gets it.
         * @example {
         *       "metric": "roc_auc",
         *       "min_improvement": 0
         *     }
         */
        AutoPromoteRequest: {
            /** @description The metric: a higher one is better, except for `log_loss`, `rmse` and `mae`. */
            metric: components["schemas"]["PromotionMetricName"];
            /**
             * Format: double
             * @description The least improvement, in the unit of the metric; 0 when left out. An equal version is not better.
             */
            min_improvement?: number;
        };
        /** @description The condition of a guarded promotion. */
        AutoPromoteView: {
            /** @description The metric of both versions. */
            metric: components["schemas"]["PromotionMetricName"];
            /**
             * Format: double
             * @description The least improvement, in the unit of the metric.
             * @example 0
             */
            min_improvement: number;
        };
        /** @description The best trial of a search. */
        BestSingleView: {
            /**
             * @description The algorithm.
             * @example gradient_boosting
             */
            algorithm: string;
            /**
             * Format: double
             * @description Its score.
             * @example 0.424
             */
            score: number;
            /**
             * Format: int64
             * @description The number of the trial.
             * @example 12
             */
            trial: number;
        };
        /** @description The share of a bin. */
        BinShare: {
            /**
             * @description A range of numbers or dates, a category, a class, `other`, or `missing`.
             * @example 19 to 24
             */
            bin: string;
            /**
             * Format: double
             * @description The share of the rows.
             * @example 0.1
             */
            share: number;
        };
        /** @description The jobs of a bulk submission. */
        BulkAcceptedView: {
            /** @description The jobs, in the order of the request. */
            jobs: components["schemas"]["AcceptedView"][];
        };
        /** @description Many training jobs. */
        BulkRequest: {
            /** @description 1 to 1,000 jobs. */
            jobs: components["schemas"]["TrainingRequest"][];
        };
        /** @description Held-out rows with similar probabilities. */
        CalibrationBinView: {
            /**
             * Format: int64
             * @description The number of rows.
             * @example 26
             */
            count: number;
            /**
             * Format: double
             * @description The mean of the predicted probabilities of the positive class.
             * @example 0.34
             */
            mean_probability: number;
            /**
             * Format: double
             * @description The share of rows of the positive class.
             * @example 0.31
             */
            positive_share: number;
        };
        /**
         * @description How a schedule treats times that passed while no server was running.
         * @enum {string}
         */
        CatchUpView: "skip" | "one" | "all";
        /** @description The report of one check. */
        CheckReport: {
            /** @description Whether the process needs the dependency. */
            critical?: boolean;
            /** @description Why the check failed, without addresses or secrets. */
            error?: string;
            /**
             * Format: double
             * @description The duration of the check in milliseconds.
             */
            latency_ms?: number;
            /** @description The outcome. */
            status: components["schemas"]["CheckStatus"];
        };
        /**
         * @description The outcome of one check.
         * @enum {string}
         */
        CheckStatus: "ok" | "failed" | "not_configured";
        /** @description The ROC curve of one class against the others, with at most 101 points. */
        ClassRocCurveView: {
            /** @description The class. */
            class: components["schemas"]["LabelValue"];
            /** @description False positive rates. */
            fpr: number[];
            /**
             * Format: double
             * @description The area under the curve.
             */
            roc_auc: number;
            /** @description True positive rates. */
            tpr: number[];
        };
        /**
         * @description The kind of the problem, for programs. The list is closed, so clients may match on it.
         * @enum {string}
         */
        Code: "malformed_json" | "bad_request" | "unauthenticated" | "token_expired" | "invalid_credentials" | "forbidden" | "not_found" | "method_not_allowed" | "request_timeout" | "conflict" | "payload_too_large" | "unsupported_media_type" | "validation_failed" | "rate_limited" | "internal" | "unavailable";
        /** @description The profile of one column. */
        ColumnView: {
            /**
             * Format: int64
             * @description Distinct values; a lower bound for columns with very many.
             * @example 98
             */
            distinct: number;
            /** @description The type of the values. */
            dtype: components["schemas"]["DtypeView"];
            /** @description The distribution in ten bins, for numbers and times. Lists leave it out. */
            histogram?: components["schemas"]["HistogramView"];
            /** @description The largest number or the latest time. */
            max?: components["schemas"]["PointView"];
            /** @description The smallest number or the earliest time. */
            min?: components["schemas"]["PointView"];
            /**
             * Format: int64
             * @description Rows without a value.
             * @example 263
             */
            missing: number;
            /**
             * @description The unique name.
             * @example age
             */
            name: string;
            /** @description Up to five of the most frequent values, most frequent first. */
            top?: components["schemas"]["ValueCount"][];
            /** @description Warnings about the column. */
            warnings: string[];
        };
        /** @description A confusion matrix. */
        ConfusionMatrixView: {
            /** @description `counts[actual][predicted]` */
            counts: number[][];
            /** @description The classes of rows and columns: at most the 100 most frequent ones. Long texts are shortened. */
            labels: components["schemas"]["LabelValue"][];
            /**
             * Format: int64
             * @description The number of further classes.
             */
            other_classes?: number;
        };
        /** @description A new API key. */
        CreatedApiKeyView: components["schemas"]["ApiKeyView"] & {
            /**
             * @description The key itself, for the header `Authorization: Bearer`. It is shown only in this response.
             * @example ty_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789ABCD
             */
            key: string;
        };
        /** @description An e-mail address and a password. */
        Credentials: {
            /**
             * @description The e-mail address, in any case.
             * @example ada@example.com
             */
            email: string;
            /**
             * Format: password
             * @description 8 to 72 bytes.
             * @example correct horse battery
             */
            password: string;
        };
        /** @description The cross-validation of the training part. */
        CrossValidationView: {
            /**
             * Format: int64
             * @description The number of folds. Each is predicted by a model that was trained on the others.
             * @example 5
             */
            folds: number;
            /**
             * @description Each metric over the folds.
             * @example {
             *       "accuracy": {
             *         "mean": 0.81,
             *         "std": 0.02,
             *         "values": [
             *           0.8,
             *           0.79,
             *           0.83
             *         ]
             *       }
             *     }
             */
            metrics: {
                [key: string]: components["schemas"]["FoldMetricView"];
            };
            /**
             * Format: int64
             * @description The number of rows in all folds: the training part without classes of one row.
             * @example 1047
             */
            rows: number;
        };
        /** @description One version of a dataset with its profile. */
        DatasetView: components["schemas"]["TableView"] & {
            /**
             * Format: date-time
             * @description When the version was created.
             */
            created_at: string;
            /**
             * Format: uuid
             * @description The account that uploaded the dataset; `null` for the built-in dataset.
             */
            created_by: string | null;
            /**
             * Format: uuid
             * @description The id of the version.
             */
            id: string;
            /**
             * Format: int64
             * @description The version. The first is 1; each upload adds one.
             * @example 1
             */
            version: number;
        };
        /**
         * @description The status of the jobs to retry.
         * @enum {string}
         */
        DeadStatus: "failed" | "cancelled";
        /**
         * @description The status of a delivery.
         * @enum {string}
         */
        DeliveryStatusView: "pending" | "delivered" | "failed";
        /** @description The delivery of one event to one webhook. */
        DeliveryView: {
            /**
             * Format: int64
             * @description The number of attempts since the last replay.
             * @example 2
             */
            attempts: number;
            /**
             * Format: date-time
             * @description When the event happened.
             */
            created_at: string;
            /**
             * @description `training.succeeded`, `training.failed` or `training.cancelled`.
             * @example training.succeeded
             */
            event: string;
            /**
             * Format: date-time
             * @description When the delivery succeeded or finally failed.
             */
            finished_at: string | null;
            /**
             * Format: uuid
             * @description The id of the delivery: the `webhook-id` of every attempt, also after a replay.
             * @example 01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11
             */
            id: string;
            /**
             * Format: uuid
             * @description The job of the event.
             */
            job_id: string;
            /**
             * @description Why the last attempt failed.
             * @example answered 503 Service Unavailable
             */
            last_error: string | null;
            /**
             * Format: int64
             * @description The HTTP status of the response to the last attempt, if any.
             * @example 503
             */
            last_status: number | null;
            /**
             * Format: date-time
             * @description When the next attempt is due; `null` when no attempt is left.
             */
            next_attempt_at: string | null;
            /** @description The body of the request. */
            payload: Record<string, never>;
            /** @description The status of the delivery. */
            status: components["schemas"]["DeliveryStatusView"];
            /**
             * @description The webhook URL, with its query masked. Only administrators and the submitter of the job can read it.
             * @example https://example.com/hooks/trainyard
             */
            url?: string | null;
        };
        /** @description The drift of a version: its recent requests, compared with its training. */
        Drift: {
            /** @description The features, those with the largest PSI first. */
            features: components["schemas"]["FeatureDrift"][];
            /**
             * Format: int64
             * @description Minimum number of rows for a PSI (`inference.drift_min_rows`).
             * @example 500
             */
            min_rows: number;
            /**
             * @description The model.
             * @example titanic-rf
             */
            model: string;
            /** @description The predictions, compared with the predictions for the held-out part. */
            prediction: components["schemas"]["PredictionDrift"];
            /**
             * Format: int64
             * @description Number of rows that this process has predicted in the window.
             * @example 1204
             */
            rows: number;
            /**
             * Format: int64
             * @description The version.
             * @example 3
             */
            version: number;
            /**
             * Format: int64
             * @description The length of the window in seconds. After a version was loaded the window grows up to `inference.drift_window_s`.
             * @example 3570
             */
            window_s: number;
        };
        /**
         * @description The type of a column.
         * @enum {string}
         */
        DtypeView: "number" | "boolean" | "category" | "datetime" | "text";
        /**
         * @description How much each feature moves the prediction away from the mean of the model. The baseline and all contributions add up to
         *     the value.
         */
        Explanation: {
            /**
             * Format: double
             * @description The value without any known feature.
             * @example 0.38
             */
            baseline: number;
            /** @description The contribution of each feature. */
            contributions: {
                [key: string]: number;
            };
            /**
             * @description The unit: `probability`, `log_odds` (their sigmoid is `prob`), `score` (the softmax over the classes gives
             *     `probabilities`), `number`, or `logarithm` (of the number). With the prefix `uncalibrated_` the numbers are those before
             *     the calibration of the model.
             * @example probability
             */
            scale: string;
            /**
             * Format: double
             * @description The explained value: of the positive class with two classes, of the predicted class with more.
             * @example 0.97
             */
            value: number;
        };
        /**
         * @description Why a job failed, for programs. No other codes exist; clients may match on them.
         * @enum {string}
         */
        FailureCode: "bad_data" | "bad_params" | "out_of_memory" | "timeout" | "output_limit" | "disk_limit" | "panicked" | "crashed" | "dataset_missing" | "dataset_corrupt" | "model_missing" | "model_corrupt" | "storage_unavailable" | "disk_full" | "internal";
        /** @description The drift of a feature. */
        FeatureDrift: {
            /**
             * @description The name of the feature.
             * @example age
             */
            feature: string;
            /**
             * Format: double
             * @description The population stability index; null with fewer rows than `min_rows`.
             * @example 0.31
             */
            psi: number | null;
            /** @description The shares of the recent rows in the same bins. */
            recent: components["schemas"]["BinShare"][];
            /**
             * Format: int64
             * @description Number of rows in the window.
             * @example 1204
             */
            rows: number;
            /** @description The shares of the training rows. Bins that are empty in both lists are left out. */
            training: components["schemas"]["BinShare"][];
        };
        /** @description The importance of a feature. */
        FeatureImportanceView: {
            /**
             * @description The feature.
             * @example sex
             */
            feature: string;
            /**
             * Format: double
             * @description Its importance.
             * @example 0.41
             */
            importance: number;
        };
        /** @description A number, a string or a boolean; `null` means a missing value. */
        FeatureValue: number | string | boolean | null;
        /** @description A feature as it was in the training dataset. */
        FeatureView: {
            /** @description The type of the values. */
            dtype: components["schemas"]["DtypeView"];
            /**
             * Format: double
             * @description The largest number.
             */
            max?: number;
            /**
             * Format: double
             * @description The smallest number.
             */
            min?: number;
            /**
             * @description The name of the feature.
             * @example sex
             */
            name: string;
            /**
             * @description The most frequent values of a category, most frequent first. Empty for numbers.
             * @example [
             *       "male",
             *       "female"
             *     ]
             */
            values: string[];
            /** @description Whether `values` contains every value of the training dataset. */
            values_complete: boolean;
        };
        /** @description One refused field. */
        FieldError: {
            /** @description The path of the field in the request, such as `params.n_trees` or `features[2]`. */
            field: string;
            /** @description What the server expects. */
            message: string;
        };
        /**
         * @description Which jobs match. A job must match every given filter. A filter takes one value, several values separated by commas (any of
         *     them), or `!` before the first value (none of them).
         * @example {
         *       "name": "!titanic-rf",
         *       "search": "memory",
         *       "status": "failed"
         *     }
         */
        FilterView: {
            /**
             * @description Names of algorithms; `GET /algorithms` lists all.
             * @example random_forest,svm
             */
            algorithm?: string | null;
            /**
             * @description Ids of the accounts that submitted the jobs.
             * @example 01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11
             */
            created_by?: string | null;
            /**
             * @description Names of datasets, each with all of its versions.
             * @example titanic
             */
            dataset?: string | null;
            /**
             * @description Error codes of failed jobs. Other jobs have none: a list of codes excludes them, and a list after `!` includes them.
             * @example out_of_memory,timeout
             */
            error_code?: string | null;
            /**
             * @description `training`, `prediction`.
             * @example prediction
             */
            kind?: string | null;
            /**
             * @description Names of models.
             * @example !titanic-rf
             */
            name?: string | null;
            /**
             * @description Up to five words, of which all must match. A word matches the beginning of the job's id (four or more hexadecimal
             *     digits), of the model's name, of the dataset's name, of the submitter's e-mail address (for administrators), or of a word of the error.
             * @example memory
             */
            search?: string | null;
            /**
             * @description `queued`, `running`, `succeeded`, `failed`, `cancelled`.
             * @example failed,cancelled
             */
            status?: string | null;
        };
        /** @description A metric over the folds of a cross-validation. */
        FoldMetricView: {
            /**
             * Format: double
             * @description The mean; `null` if the metric is not defined in any fold.
             * @example 0.81
             */
            mean: number | null;
            /**
             * Format: double
             * @description The standard deviation of the folds (n - 1); `null` with fewer than two values.
             * @example 0.02
             */
            std: number | null;
            /**
             * @description The metric of each fold; `null` if it is not defined, as the ROC AUC of a fold with one class.
             * @example [
             *       0.8,
             *       0.79,
             *       0.83
             *     ]
             */
            values: (number | null)[];
        };
        /** @description How the file is read: detected, or set by parameters of the upload. */
        FormatView: {
            /**
             * @description The decimal mark.
             * @example .
             */
            decimal: string;
            /**
             * @description The character between two fields.
             * @example ,
             */
            delimiter: string;
            /**
             * @description The encoding by its name in the WHATWG encoding standard.
             * @example utf-8
             */
            encoding: string;
            /**
             * @description Whether the first row holds the column names.
             * @example present
             */
            header: string;
            /** @description Texts that mean a missing value, besides the empty cell. */
            missing: string[];
            /**
             * Format: int64
             * @description Lines before the header that are not part of the table.
             * @example 0
             */
            skipped_lines: number;
        };
        /**
         * @description Limits on the predictions of a new version. If one is exceeded, the version is rolled back automatically. A guard needs at
         *     least one of `max_error_rate` and `max_p99_ms`.
         * @example {
         *       "for_s": 600,
         *       "max_error_rate": 0.05,
         *       "max_p99_ms": 50,
         *       "min_requests": 100
         *     }
         */
        GuardRequest: {
            /**
             * Format: int64
             * @description How long the version is watched, in seconds; 600 when left out.
             */
            for_s?: number;
            /** @description The highest share of predictions that fail by a defect (answers with a 5xx status). Refused requests do not count. */
            max_error_rate?: number | null;
            /** @description The highest 99th percentile of the duration of a prediction, in milliseconds. */
            max_p99_ms?: number | null;
            /**
             * Format: int64
             * @description The least number of predictions before a limit counts; 100 when left out.
             */
            min_requests?: number;
        };
        /** @description A guard with what has been counted since it began. The inference processes report once a second. */
        GuardView: {
            /**
             * Format: date-time
             * @description When the guard ends.
             */
            ends_at: string;
            /**
             * Format: int64
             * @description Predictions that failed by a defect.
             * @example 0
             */
            failed: number;
            /**
             * Format: double
             * @description The highest share of failed predictions.
             * @example 0.05
             */
            max_error_rate: number | null;
            /**
             * Format: double
             * @description The highest 99th percentile of the duration of a prediction, in milliseconds.
             * @example 50
             */
            max_p99_ms: number | null;
            /**
             * Format: int64
             * @description The least number of predictions before a limit counts.
             * @example 100
             */
            min_requests: number;
            /**
             * Format: int64
             * @description Predictions so far.
             * @example 41
             */
            requests: number;
            /**
             * Format: int64
             * @description Predictions that took longer than `max_p99_ms`.
             * @example 0
             */
            slow: number;
            /**
             * Format: int64
             * @description The guarded version.
             * @example 4
             */
            version: number;
        };
        /** @description The response of `/health`. */
        Health: {
            /** @description `ok`, or `unavailable` where the process must be restarted. */
            status: components["schemas"]["Status"];
        };
        /** @description The distribution of numbers or times. */
        HistogramView: {
            /** @description Values in each bin. */
            counts: number[];
            /**
             * @description The edges of the bins in ascending order: one more than there are bins. A bin includes its lower edge, the last bin
             *     also its upper edge.
             */
            edges: components["schemas"]["PointView"][];
        };
        /** @description The response for `features` or for `instances`; only the latter has `predictions`. */
        InferenceAnswer: components["schemas"]["OneAnswer"] | components["schemas"]["ManyAnswer"];
        /** @description One row or many rows. */
        InferenceRequest: components["schemas"]["OneRowRequest"] | components["schemas"]["ManyRowsRequest"];
        /** @description An invitation. */
        Invitation: {
            /**
             * @description The e-mail address, in any case.
             * @example ada@example.com
             */
            email: string;
            role?: components["schemas"]["RoleView"] | null;
        };
        /** @description An account with a one-time password for its owner. */
        InvitedView: components["schemas"]["AccountView"] & {
            /**
             * @description Works for one sign-in. It is shown only in this response.
             * @example k3Jx0rW2pQ9sT7uVbNcM
             */
            one_time_password: string;
            /**
             * Format: date-time
             * @description When the one-time password expires.
             */
            one_time_password_expires_at: string;
        };
        /** @description The number of jobs that match a filter. */
        JobCountView: {
            /**
             * Format: int64
             * @description The number of jobs, at most 100,000.
             * @example 4211
             */
            count: number;
            /**
             * @description Whether there are more.
             * @example false
             */
            more: boolean;
        };
        /** @description The last failure of a job. */
        JobErrorView: {
            /** @description The kind of failure. */
            code: components["schemas"]["FailureCode"];
            /**
             * @description The last log lines of the training process, if any.
             * @example panicked: index out of bounds
             */
            log_tail?: string;
            /**
             * @description The failure in words, for people.
             * @example the target has only one class
             */
            message: string;
            /**
             * @description Whether failures of this kind are retried.
             * @example false
             */
            retryable: boolean;
        };
        /** @description One Server-Sent Event. */
        JobEvent: {
            /**
             * @description A JSON object.
             * @example {"eta_s":2.1,"phase":"training","progress":0.6}
             */
            data?: string;
            /**
             * @description The name of the event: `status`, `progress`, `log` or `metric`.
             * @example progress
             */
            event?: string;
            /**
             * @description The id of the event. A client that reconnects sends the last id as `Last-Event-ID`.
             * @example r7-l1000012
             */
            id?: string;
            /**
             * Format: int64
             * @description Milliseconds until the client may reconnect. Only the last event of a stream that the server ends early has it.
             */
            retry?: number;
        };
        /** @description The metrics of a succeeded job, by its kind. */
        JobMetricsView: components["schemas"]["MetricsView"] | components["schemas"]["PredictionMetricsView"];
        /** @description The request of a job with all defaults, by its kind. */
        JobSpecView: components["schemas"]["SpecView"] | components["schemas"]["PredictionSpecView"];
        /** @description A training or prediction job. */
        JobView: {
            /**
             * @description The algorithm of the model.
             * @example random_forest
             */
            algorithm: string;
            /**
             * Format: int64
             * @description The current or next attempt, from 1.
             * @example 1
             */
            attempt: number;
            /**
             * Format: date-time
             * @description When the job was accepted.
             */
            created_at: string;
            /**
             * Format: uuid
             * @description The account that submitted the job.
             */
            created_by: string;
            /**
             * Format: double
             * @description Duration of the current or last run, in seconds.
             * @example 3.1
             */
            duration_s: number | null;
            /** @description The last failure. */
            error?: components["schemas"]["JobErrorView"];
            /**
             * Format: double
             * @description Estimated seconds until a running job ends.
             * @example 4.2
             */
            eta_s?: number;
            /**
             * Format: date-time
             * @description When the job ended.
             */
            finished_at: string | null;
            /**
             * Format: uuid
             * @description The id of the job.
             * @example 01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11
             */
            job_id: string;
            /** @description The kind of work. */
            kind: components["schemas"]["KindView"];
            /**
             * Format: int64
             * @description Most attempts, if the job fails with retryable errors.
             * @example 3
             */
            max_attempts: number;
            /** @description Metrics of a succeeded job: of a training on the held-out part, of a prediction what it counted. */
            metrics?: components["schemas"]["JobMetricsView"];
            /** @description The model version that a succeeded training published, or that a prediction predicts with. */
            model?: components["schemas"]["PublishedView"];
            /**
             * @description The model that the job trains a version of, or predicts with.
             * @example titanic-rf
             */
            name: string;
            /**
             * @description The phase of the current run.
             * @example fitting
             */
            phase: string | null;
            /**
             * Format: int64
             * @description The priority. Jobs with a higher priority run first.
             * @example 0
             */
            priority: number;
            /**
             * Format: double
             * @description Progress of the current run, 0..1.
             * @example 0.42
             */
            progress: number;
            /**
             * Format: int64
             * @description The queue position of a queued job, from 1. Only the response for a single job has it.
             * @example 1
             */
            queue_position?: number;
            /**
             * @description The URL of the result of a succeeded prediction.
             * @example /predictions/01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11/result
             */
            result_url?: string;
            /**
             * Format: date-time
             * @description The job does not run before this time. A retry with backoff moves it.
             */
            run_at: string;
            /** @description The request with all defaults. A training has `*` expanded, a prediction its alias resolved. */
            spec: components["schemas"]["JobSpecView"];
            /**
             * Format: date-time
             * @description When the current or last run began.
             */
            started_at: string | null;
            /** @description The status. */
            status: components["schemas"]["StatusView"];
            /** @description The worker of the current or last run. */
            worker: string | null;
        };
        /**
         * @description The kind of a job.
         * @enum {string}
         */
        KindView: "training" | "prediction";
        /** @description A class label, in the type that it has in the table. */
        LabelValue: string | number | boolean;
        /**
         * @description Jobs with `learning_curve`: the loss of models that were trained on a part of the training rows, by rising number of rows. The
         *     last one is the model before its calibration.
         */
        LearningCurveView: {
            /**
             * @description The loss on the held-out part.
             * @example [
             *       0.52,
             *       0.48,
             *       0.46,
             *       0.45,
             *       0.44
             *     ]
             */
            held_out: (number | null)[];
            /**
             * @description The loss: `log_loss`, or `rmse` for a regression.
             * @example log_loss
             */
            metric: string;
            /**
             * @description The number of rows that each model was trained on.
             * @example [
             *       105,
             *       262,
             *       524,
             *       785,
             *       1047
             *     ]
             */
            rows: number[];
            /**
             * @description The loss on these rows.
             * @example [
             *       0.31,
             *       0.35,
             *       0.36,
             *       0.37,
             *       0.37
             *     ]
             */
            training: (number | null)[];
        };
        /** @description One page of a list. */
        List_AccountView: {
            /** @description The items, newest first. */
            items: (components["schemas"]["UserView"] & {
                /**
                 * @description Whether the account is disabled: sign-ins and tokens of the account are refused.
                 * @example false
                 */
                disabled: boolean;
            })[];
            /** @description The `cursor` of the next page; null on the last page. */
            next_cursor: string | null;
        };
        /** @description One page of a list. */
        List_AlgorithmView: {
            /** @description The items, newest first. */
            items: {
                /**
                 * @description What the algorithm is good for, in one sentence.
                 * @example Many randomised trees that vote; a strong default for mixed tables.
                 */
                description: string;
                /**
                 * Format: int64
                 * @description Most rows of a dataset with the default engine; `null` without a limit of its own.
                 */
                max_rows: number | null;
                /**
                 * @description The value for `algorithm` in `POST /training`.
                 * @example random_forest
                 */
                name: string;
                /**
                 * @description JSON Schema (2020-12) of `params`: types, bounds, defaults, titles, descriptions. For forms, each parameter has the
                 *     annotations `x-group` (`model`, `evaluation`, `probabilities` or `advanced`) and `x-order` (its position, from 1 on), and some
                 *     have `x-unit`, `x-task` (the only task on which it has an influence) and `x-when` (values of another parameter with
                 *     which it has an influence).
                 */
                params: Record<string, never>;
                /** @description Whether the algorithm supports classification. */
                supports_classification: boolean;
                /** @description Whether the algorithm supports regression of numeric targets. */
                supports_regression: boolean;
            }[];
            /** @description The `cursor` of the next page; null on the last page. */
            next_cursor: string | null;
        };
        /** @description One page of a list. */
        List_AliasMoveView: {
            /** @description The items, newest first. */
            items: {
                /**
                 * @description What led to the change.
                 * @example promoted: roc_auc 0.87 is better than 0.86 of version 3
                 */
                detail: string | null;
                /**
                 * Format: int64
                 * @description The version before; `null` if the alias did not exist.
                 * @example 3
                 */
                from: number | null;
                guard: components["schemas"]["GuardView"] | null;
                /**
                 * Format: date-time
                 * @description When the alias changed.
                 */
                moved_at: string;
                /**
                 * Format: uuid
                 * @description The account that changed the alias; `null` for the server itself.
                 */
                moved_by: string | null;
                /**
                 * Format: int64
                 * @description The number of the change, from 1.
                 * @example 7
                 */
                number: number;
                /** @description Why the alias changed. */
                reason: components["schemas"]["MoveReasonName"];
                /**
                 * Format: int64
                 * @description The version since then; `null` if the alias was removed.
                 * @example 4
                 */
                to: number | null;
            }[];
            /** @description The `cursor` of the next page; null on the last page. */
            next_cursor: string | null;
        };
        /** @description One page of a list. */
        List_ApiKeyView: {
            /** @description The items, newest first. */
            items: {
                /**
                 * Format: date-time
                 * @description When the key was created.
                 */
                created_at: string;
                /**
                 * Format: date-time
                 * @description When the key expires; `null` for never.
                 */
                expires_at: string | null;
                /**
                 * Format: uuid
                 * @description The id, for the deletion.
                 * @example 01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11
                 */
                id: string;
                /**
                 * Format: date-time
                 * @description When the key was last used, with a precision of about a minute; `null` for never.
                 */
                last_used_at: string | null;
                /**
                 * @description The name that the owner gave.
                 * @example shop-backend
                 */
                name: string;
                /**
                 * @description The first characters of the key, to recognize it.
                 * @example ty_AbCd
                 */
                prefix: string;
                /** @description The highest role of the key. While the account has a lower role, the lower role applies. */
                role: components["schemas"]["RoleView"];
            }[];
            /** @description The `cursor` of the next page; null on the last page. */
            next_cursor: string | null;
        };
        /** @description One page of a list. */
        List_AuditView: {
            /** @description The items, newest first. */
            items: {
                /**
                 * @description The action.
                 * @example dataset.create
                 */
                action: string;
                /**
                 * Format: uuid
                 * @description The account that did the action; `null` for the server itself.
                 */
                actor: string | null;
                /**
                 * Format: date-time
                 * @description When the action happened.
                 */
                at: string;
                /** @description More fields, which depend on the action. */
                detail: unknown;
                /**
                 * Format: uuid
                 * @description The id of the record.
                 */
                id: string;
                /** @description The id of the request. */
                request_id: string | null;
                /**
                 * @description The object of the action: a kind with a name or an id.
                 * @example dataset:titanic
                 */
                subject: string;
            }[];
            /** @description The `cursor` of the next page; null on the last page. */
            next_cursor: string | null;
        };
        /** @description One page of a list. */
        List_DatasetView: {
            /** @description The items, newest first. */
            items: (components["schemas"]["TableView"] & {
                /**
                 * Format: date-time
                 * @description When the version was created.
                 */
                created_at: string;
                /**
                 * Format: uuid
                 * @description The account that uploaded the dataset; `null` for the built-in dataset.
                 */
                created_by: string | null;
                /**
                 * Format: uuid
                 * @description The id of the version.
                 */
                id: string;
                /**
                 * Format: int64
                 * @description The version. The first is 1; each upload adds one.
                 * @example 1
                 */
                version: number;
            })[];
            /** @description The `cursor` of the next page; null on the last page. */
            next_cursor: string | null;
        };
        /** @description One page of a list. */
        List_DeliveryView: {
            /** @description The items, newest first. */
            items: {
                /**
                 * Format: int64
                 * @description The number of attempts since the last replay.
                 * @example 2
                 */
                attempts: number;
                /**
                 * Format: date-time
                 * @description When the event happened.
                 */
                created_at: string;
                /**
                 * @description `training.succeeded`, `training.failed` or `training.cancelled`.
                 * @example training.succeeded
                 */
                event: string;
                /**
                 * Format: date-time
                 * @description When the delivery succeeded or finally failed.
                 */
                finished_at: string | null;
                /**
                 * Format: uuid
                 * @description The id of the delivery: the `webhook-id` of every attempt, also after a replay.
                 * @example 01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11
                 */
                id: string;
                /**
                 * Format: uuid
                 * @description The job of the event.
                 */
                job_id: string;
                /**
                 * @description Why the last attempt failed.
                 * @example answered 503 Service Unavailable
                 */
                last_error: string | null;
                /**
                 * Format: int64
                 * @description The HTTP status of the response to the last attempt, if any.
                 * @example 503
                 */
                last_status: number | null;
                /**
                 * Format: date-time
                 * @description When the next attempt is due; `null` when no attempt is left.
                 */
                next_attempt_at: string | null;
                /** @description The body of the request. */
                payload: Record<string, never>;
                /** @description The status of the delivery. */
                status: components["schemas"]["DeliveryStatusView"];
                /**
                 * @description The webhook URL, with its query masked. Only administrators and the submitter of the job can read it.
                 * @example https://example.com/hooks/trainyard
                 */
                url?: string | null;
            }[];
            /** @description The `cursor` of the next page; null on the last page. */
            next_cursor: string | null;
        };
        /** @description One page of a list. */
        List_JobView: {
            /** @description The items, newest first. */
            items: {
                /**
                 * @description The algorithm of the model.
                 * @example random_forest
                 */
                algorithm: string;
                /**
                 * Format: int64
                 * @description The current or next attempt, from 1.
                 * @example 1
                 */
                attempt: number;
                /**
                 * Format: date-time
                 * @description When the job was accepted.
                 */
                created_at: string;
                /**
                 * Format: uuid
                 * @description The account that submitted the job.
                 */
                created_by: string;
                /**
                 * Format: double
                 * @description Duration of the current or last run, in seconds.
                 * @example 3.1
                 */
                duration_s: number | null;
                /** @description The last failure. */
                error?: components["schemas"]["JobErrorView"];
                /**
                 * Format: double
                 * @description Estimated seconds until a running job ends.
                 * @example 4.2
                 */
                eta_s?: number;
                /**
                 * Format: date-time
                 * @description When the job ended.
                 */
                finished_at: string | null;
                /**
                 * Format: uuid
                 * @description The id of the job.
                 * @example 01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11
                 */
                job_id: string;
                /** @description The kind of work. */
                kind: components["schemas"]["KindView"];
                /**
                 * Format: int64
                 * @description Most attempts, if the job fails with retryable errors.
                 * @example 3
                 */
                max_attempts: number;
                /** @description Metrics of a succeeded job: of a training on the held-out part, of a prediction what it counted. */
                metrics?: components["schemas"]["JobMetricsView"];
                /** @description The model version that a succeeded training published, or that a prediction predicts with. */
                model?: components["schemas"]["PublishedView"];
                /**
                 * @description The model that the job trains a version of, or predicts with.
                 * @example titanic-rf
                 */
                name: string;
                /**
                 * @description The phase of the current run.
                 * @example fitting
                 */
                phase: string | null;
                /**
                 * Format: int64
                 * @description The priority. Jobs with a higher priority run first.
                 * @example 0
                 */
                priority: number;
                /**
                 * Format: double
                 * @description Progress of the current run, 0..1.
                 * @example 0.42
                 */
                progress: number;
                /**
                 * Format: int64
                 * @description The queue position of a queued job, from 1. Only the response for a single job has it.
                 * @example 1
                 */
                queue_position?: number;
                /**
                 * @description The URL of the result of a succeeded prediction.
                 * @example /predictions/01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11/result
                 */
                result_url?: string;
                /**
                 * Format: date-time
                 * @description The job does not run before this time. A retry with backoff moves it.
                 */
                run_at: string;
                /** @description The request with all defaults. A training has `*` expanded, a prediction its alias resolved. */
                spec: components["schemas"]["JobSpecView"];
                /**
                 * Format: date-time
                 * @description When the current or last run began.
                 */
                started_at: string | null;
                /** @description The status. */
                status: components["schemas"]["StatusView"];
                /** @description The worker of the current or last run. */
                worker: string | null;
            }[];
            /** @description The `cursor` of the next page; null on the last page. */
            next_cursor: string | null;
        };
        /** @description One page of a list. */
        List_ModelView: {
            /** @description The items, newest first. */
            items: {
                /**
                 * @description The version that each alias points at.
                 * @example {
                 *       "production": 3
                 *     }
                 */
                aliases: {
                    [key: string]: number;
                };
                /**
                 * Format: date-time
                 * @description When the first version was published.
                 */
                created_at: string;
                latest: components["schemas"]["VersionView"] | null;
                /**
                 * @description The name of the model.
                 * @example titanic-rf
                 */
                name: string;
            }[];
            /** @description The `cursor` of the next page; null on the last page. */
            next_cursor: string | null;
        };
        /** @description One page of a list. */
        List_ScheduleRunView: {
            /** @description The items, newest first. */
            items: {
                /**
                 * Format: date-time
                 * @description When the outcome was recorded.
                 */
                at: string;
                /**
                 * Format: date-time
                 * @description The scheduled time, or the time of a manual trigger.
                 */
                due_at: string;
                /**
                 * Format: uuid
                 * @description The submitted job, if any. The job may have expired since.
                 */
                job_id: string | null;
                /**
                 * @description The reason, for people.
                 * @example the dataset 'sales' has been deleted
                 */
                message: string | null;
                /** @description The outcome. */
                outcome: components["schemas"]["OutcomeView"];
            }[];
            /** @description The `cursor` of the next page; null on the last page. */
            next_cursor: string | null;
        };
        /** @description One page of a list. */
        List_ScheduleView: {
            /** @description The items, newest first. */
            items: {
                /** @description How times that passed while no server was running are treated. */
                catch_up: components["schemas"]["CatchUpView"];
                /**
                 * Format: date-time
                 * @description When the schedule was created.
                 */
                created_at: string;
                /**
                 * Format: uuid
                 * @description The account that created the schedule, which also submits its jobs.
                 */
                created_by: string;
                /**
                 * @description The cron expression.
                 * @example 30 2 * * *
                 */
                cron: string;
                /**
                 * Format: uuid
                 * @description The id of the schedule.
                 * @example 01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11
                 */
                id: string;
                /**
                 * @description Why the last training request was refused; `null` after the next accepted one.
                 * @example the dataset 'sales' has been deleted
                 */
                last_error: string | null;
                /**
                 * Format: uuid
                 * @description The job that was submitted last.
                 */
                last_job_id: string | null;
                /**
                 * Format: date-time
                 * @description When the schedule last submitted a job.
                 */
                last_run_at: string | null;
                /**
                 * @description The name of the schedule.
                 * @example nightly
                 */
                name: string;
                /**
                 * Format: date-time
                 * @description The next time; `null` while the schedule is paused.
                 */
                next_run_at: string | null;
                /** @description The next five times, in UTC; empty while the schedule is paused. */
                next_runs: string[];
                /** @description How a time at which a job of the schedule is queued or running is treated. */
                overlap: components["schemas"]["OverlapView"];
                /**
                 * @description Whether the schedule is paused.
                 * @example false
                 */
                paused: boolean;
                /** @description The training request with all defaults. `*` and the newest version of the dataset are resolved at each run. */
                spec: components["schemas"]["SpecView"];
                /**
                 * @description The time zone of `cron`.
                 * @example Europe/Berlin
                 */
                timezone: string;
                /**
                 * Format: date-time
                 * @description When the schedule was last changed.
                 */
                updated_at: string;
            }[];
            /** @description The `cursor` of the next page; null on the last page. */
            next_cursor: string | null;
        };
        /** @description Many predictions in the order of the rows. */
        ManyAnswer: {
            /**
             * @description The model that predicted.
             * @example titanic-rf
             */
            model: string;
            /** @description One prediction per row. */
            predictions: components["schemas"]["RowAnswer"][];
            /**
             * Format: double
             * @description The probability from which the positive class is predicted, if it was tuned; else 0.5 applies.
             * @example 0.37
             */
            threshold?: number;
            /**
             * Format: int64
             * @description The version that predicted.
             * @example 3
             */
            version: number;
        };
        /**
         * @description Many rows to predict; the predictions have the same order.
         * @example {
         *       "instances": [
         *         {
         *           "age": 29,
         *           "sex": "female"
         *         },
         *         {
         *           "sex": "male"
         *         }
         *       ],
         *       "model": "titanic-rf"
         *     }
         */
        ManyRowsRequest: {
            /** @description The alias, `production` by default; not allowed together with `version`. */
            alias?: string | null;
            /** @description Whether the contribution of each feature is answered. Not possible for the algorithm `svm`. */
            explain?: boolean | null;
            /** @description Not allowed in a request for many rows. */
            features?: components["schemas"]["Nothing"];
            /** @description The rows, each as `features` of a request for one row. */
            instances: {
                [key: string]: components["schemas"]["FeatureValue"];
            }[];
            /** @description The model; optional if there is exactly one model or a default model. */
            model?: string | null;
            /**
             * Format: int64
             * @description A pinned version. Without it the alias selects the version.
             */
            version?: number | null;
        };
        /** @description The account of the caller. */
        MeView: components["schemas"]["UserView"] & {
            /**
             * @description The sections that the account may read besides models and its own jobs: `training`, `datasets`, `schedules`,
             *     `webhooks`, `queue`. Administrators may read all.
             * @example [
             *       "training"
             *     ]
             */
            may_read: string[];
        };
        /** @description The metrics of a model on the held-out part. Metrics that are not defined are left out or `null`. */
        MetricsView: {
            /**
             * Format: double
             * @description Classification: the share of correct predictions.
             * @example 0.81
             */
            accuracy?: number;
            /**
             * @description Two classes: predicted probabilities and actual shares, in ten bins of equal width from 0 to 1; empty ones are left
             *     out.
             */
            calibration?: components["schemas"]["CalibrationBinView"][];
            /** @description Classification: actual and predicted classes. */
            confusion_matrix?: components["schemas"]["ConfusionMatrixView"];
            /** @description Jobs with `cv`: the metrics over the folds of the training part. */
            cross_validation?: components["schemas"]["CrossValidationView"];
            /**
             * Format: double
             * @description Classification: F1 of the positive class; for three or more classes the mean over the classes.
             * @example 0.76
             */
            f1?: number;
            /** @description The features by descending importance; the sum is 1. */
            feature_importances?: components["schemas"]["FeatureImportanceView"][];
            /** @description Jobs with `learning_curve`: the loss by the number of training rows. Lists leave it out. */
            learning_curve?: components["schemas"]["LearningCurveView"];
            /**
             * Format: double
             * @description Classification: the mean negative logarithm of the probability of the actual class.
             * @example 0.44
             */
            log_loss?: number;
            /**
             * Format: double
             * @description Regression: the mean absolute error.
             * @example 43.2
             */
            mae?: number;
            /**
             * Format: int64
             * @description Gradient boosting: the number of rounds of the model.
             * @example 120
             */
            n_rounds?: number;
            /**
             * Format: double
             * @description Random forests: the accuracy of each row's prediction by the trees that were not trained on the row.
             * @example 0.8
             */
            oob_accuracy?: number;
            /**
             * Format: double
             * @description Random forests of a regression: the out-of-bag coefficient of determination.
             * @example 0.5
             */
            oob_r2?: number;
            /** @description Jobs with `permutation_repeats`: the importances of the features by permutation. Lists leave them out. */
            permutation_importances?: components["schemas"]["PermutationImportancesView"];
            /** @description Two classes: the class whose probability is `prob` in predictions. */
            positive_class?: components["schemas"]["LabelValue"];
            /**
             * Format: double
             * @description Classification: precision, averaged like `f1`.
             * @example 0.78
             */
            precision?: number;
            /** @description Two classes: the precision-recall curve, by rising threshold. */
            precision_recall_curve?: components["schemas"]["PrecisionRecallCurveView"];
            /** @description Regression: actual and predicted numbers of at most 200 held-out rows, which the seed draws. */
            predictions?: components["schemas"]["PredictedNumbersView"];
            /** @description Jobs with `auto_promote`: whether the version got the alias `production`, and why. */
            promotion?: components["schemas"]["PromotionView"];
            /**
             * Format: double
             * @description Regression: the coefficient of determination. `null` if all held-out rows have the same number.
             * @example 0.52
             */
            r2?: number | null;
            /**
             * Format: double
             * @description Classification: recall, averaged like `f1`.
             * @example 0.74
             */
            recall?: number;
            /** @description Jobs with `calibration`: the reliability of the probabilities before and after. Lists leave it out. */
            reliability?: components["schemas"]["ReliabilityView"];
            /**
             * Format: double
             * @description Regression: the root of the mean squared error.
             * @example 53.1
             */
            rmse?: number;
            /**
             * Format: double
             * @description Classification: the area under the ROC curve; for three or more classes the mean over the classes, one against the
             *     others. `null` if the held-out part has only one class.
             * @example 0.87
             */
            roc_auc?: number | null;
            /** @description Two classes: the ROC curve. Lists leave out this and all other curves. */
            roc_curve?: components["schemas"]["RocCurveView"];
            /** @description Three or more classes: the ROC curves of the ten most frequent classes, one against the others. */
            roc_curves?: components["schemas"]["ClassRocCurveView"][];
            /** @description The sizes of both parts. */
            rows?: components["schemas"]["PartSizesView"];
            /** @description The algorithm `auto`: the result of the search. */
            search?: components["schemas"]["SearchView"];
            /**
             * @description Jobs with `tune_threshold`: the threshold of the model. Accuracy, F1, precision, recall and the confusion matrix are those
             *     at this threshold.
             */
            threshold?: components["schemas"]["ThresholdView"];
            /** @description The algorithm `auto`: the trials of the search, at most 500. Lists leave them out. */
            trials?: components["schemas"]["TrialView"][];
            /** @description What training dropped, changed or found suspicious. */
            warnings?: string[];
        };
        /** @description A model with its versions. */
        ModelDetailView: {
            /**
             * @description The version that each alias points at.
             * @example {
             *       "production": 3
             *     }
             */
            aliases: {
                [key: string]: number;
            };
            /**
             * Format: date-time
             * @description When the first version was published.
             */
            created_at: string;
            /**
             * @description The name of the model.
             * @example titanic-rf
             */
            name: string;
            /** @description The cursor of the next page; `null` on the last page. */
            next_cursor: string | null;
            /** @description A page of versions, newest first. */
            versions: components["schemas"]["VersionView"][];
        };
        /** @description A model in a list, with its newest version. */
        ModelView: {
            /**
             * @description The version that each alias points at.
             * @example {
             *       "production": 3
             *     }
             */
            aliases: {
                [key: string]: number;
            };
            /**
             * Format: date-time
             * @description When the first version was published.
             */
            created_at: string;
            latest: components["schemas"]["VersionView"] | null;
            /**
             * @description The name of the model.
             * @example titanic-rf
             */
            name: string;
        };
        /**
         * @description Why an alias changed.
         * @enum {string}
         */
        MoveReasonName: "user" | "first_version" | "publication" | "guarded_promotion" | "rollback" | "automatic_rollback" | "version_deleted" | "upgrade";
        /** @description Null or left out. */
        Nothing: null;
        /**
         * @description What happens to features that contain the target.
         * @enum {string}
         */
        OnLeakName: "warn" | "drop" | "refuse";
        /** @description One prediction. Its field has the name of the target and is the one property that is not listed here. */
        OneAnswer: {
            /** @description The contributions of the features, with `explain`. */
            explanation?: components["schemas"]["Explanation"];
            /**
             * @description The model that predicted.
             * @example titanic-rf
             */
            model: string;
            /**
             * Format: double
             * @description Probability of the positive class, for targets with two classes.
             * @example 0.97
             */
            prob?: number;
            /** @description Probability per class, for targets with class labels. */
            probabilities?: {
                [key: string]: number;
            };
            /**
             * Format: double
             * @description The probability from which the positive class is predicted, if it was tuned; else 0.5 applies.
             * @example 0.37
             */
            threshold?: number;
            /**
             * Format: int64
             * @description The version that predicted.
             * @example 3
             */
            version: number;
            /** @description Features that were missing, or whose category did not occur in training; left out if there are none. */
            warnings?: string[];
        } & {
            [key: string]: components["schemas"]["PredictedValue"];
        };
        /**
         * @description One row to predict.
         * @example {
         *       "features": {
         *         "age": 29,
         *         "pclass": 1,
         *         "sex": "female"
         *       },
         *       "model": "titanic-rf"
         *     }
         */
        OneRowRequest: {
            /** @description The alias; not allowed together with `version`. */
            alias?: string | null;
            /** @description Whether the contribution of each feature is answered. Not possible for the algorithm `svm`. */
            explain?: boolean | null;
            /** @description The row: feature names and values. `null` or a missing name means a missing value. */
            features: {
                [key: string]: components["schemas"]["FeatureValue"];
            };
            /** @description Not allowed in a request for one row. */
            instances?: components["schemas"]["Nothing"];
            /** @description The model; optional if there is exactly one model or a default model. */
            model?: string | null;
            /**
             * Format: int64
             * @description A pinned version. Without it the alias selects the version, and without both the traffic of the model.
             */
            version?: number | null;
        };
        /**
         * @description The outcome of a scheduled time.
         * @enum {string}
         */
        OutcomeView: "submitted" | "skipped_overlap" | "skipped_missed" | "refused";
        /**
         * @description The columns of the dataset in the result: all, before the predictions, or none.
         * @enum {string}
         */
        OutputColumnsName: "all" | "none";
        /**
         * @description The format of the result.
         * @enum {string}
         */
        OutputFormatName: "csv";
        /**
         * @description How a schedule treats a time at which a job of the schedule is queued or running.
         * @enum {string}
         */
        OverlapView: "allow" | "skip" | "replace";
        /** @description The value of a parameter; `GET /algorithms` describes the parameters. */
        ParamValue: number | string | Record<string, never> | null;
        /** @description Numbers of rows. */
        PartSizesView: {
            /**
             * Format: int64
             * @description Rows of the held-out part.
             * @example 262
             */
            test: number;
            /**
             * Format: int64
             * @description Rows of the training part.
             * @example 1047
             */
            train: number;
        };
        /** @description The current and the new password. */
        PasswordChange: {
            /**
             * Format: password
             * @description The current password, or the one-time password of the sign-in.
             * @example correct horse battery
             */
            current_password: string;
            /**
             * Format: password
             * @description 8 to 72 bytes.
             * @example another horse battery
             */
            new_password: string;
        };
        /** @description The permutation importance of a feature. */
        PermutationImportanceView: {
            /**
             * @description The feature.
             * @example sex
             */
            feature: string;
            /**
             * Format: double
             * @description The mean increase of the loss; about 0 for a feature without influence.
             * @example 0.21
             */
            mean: number | null;
            /**
             * Format: double
             * @description The standard deviation over the permutations (n - 1); `null` with one permutation.
             * @example 0.02
             */
            std: number | null;
        };
        /**
         * @description Jobs with `permutation_repeats`: how much the loss on the held-out part grows if the values of a feature are exchanged between
         *     its rows.
         */
        PermutationImportancesView: {
            /** @description The features, the most important one first. */
            features: components["schemas"]["PermutationImportanceView"][];
            /**
             * @description The loss: `log_loss`, or `rmse` for a regression.
             * @example log_loss
             */
            metric: string;
            /**
             * Format: int64
             * @description The number of permutations of each feature.
             * @example 10
             */
            repeats: number;
            /**
             * Format: int64
             * @description The number of rows of the held-out part that were used.
             * @example 262
             */
            rows: number;
        };
        /** @description A number, or an RFC 3339 time of a `datetime` column. */
        PointView: number | string;
        /** @description A precision-recall curve with at most 101 points. */
        PrecisionRecallCurveView: {
            /** @description Precision. */
            precision: number[];
            /** @description Recall. */
            recall: number[];
            /** @description The lowest probability that counts as positive at each point. */
            threshold: number[];
        };
        /** @description Numbers of held-out rows, in the same order. */
        PredictedNumbersView: {
            /** @description The numbers in the dataset. */
            actual: number[];
            /** @description The predictions. */
            predicted: number[];
        };
        /** @description A label, a boolean or a number. */
        PredictedValue: boolean | string | number;
        /** @description The drift of the predictions. */
        PredictionDrift: {
            /**
             * Format: double
             * @description The population stability index; null with fewer rows than `min_rows`.
             * @example 0.02
             */
            psi: number | null;
            /** @description The shares of the recent predictions in the same bins. */
            recent: components["schemas"]["BinShare"][];
            /**
             * Format: int64
             * @description Number of rows in the window.
             * @example 1204
             */
            rows: number;
            /**
             * @description The name of the target.
             * @example survived
             */
            target: string;
            /** @description The shares of the predictions for the held-out part. Bins that are empty in both lists are left out. */
            training: components["schemas"]["BinShare"][];
        };
        /** @description What a prediction job counted. Lists leave out the counts by column. */
        PredictionMetricsView: {
            /**
             * Format: int64
             * @description The size of the result.
             * @example 151204
             */
            bytes: number;
            /** @description Cells without a value, by column. */
            missing_values?: {
                [key: string]: number;
            };
            /**
             * Format: int64
             * @description The number of rows.
             * @example 1309
             */
            rows: number;
            /**
             * Format: int64
             * @description The number of rows whose prediction is empty: their features are too far outside the range of the training data.
             * @example 0
             */
            rows_without_prediction: number;
            /**
             * @description The SHA-256 of the result, hexadecimal.
             * @example 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
             */
            sha256: string;
            /** @description Cells that are no value of the feature and count as missing, by column. */
            unreadable_values?: {
                [key: string]: number;
            };
            /** @description Cells with a category that was rare or absent in training, by column. */
            unseen_categories?: {
                [key: string]: number;
            };
            /**
             * @description What was missing, unreadable or unknown, in sentences.
             * @example [
             *       "'age' is missing in 263 rows; imputed as in training"
             *     ]
             */
            warnings: string[];
        };
        /**
         * @description What to predict. `model` and `dataset` are required.
         * @example {
         *       "columns": "all",
         *       "dataset": "titanic",
         *       "model": "titanic-rf"
         *     }
         */
        PredictionRequest: {
            /**
             * @description An alias of the model, which is resolved now: moving it later does not change the job. `production` when this and
             *     `version` are left out.
             */
            alias?: string | null;
            columns?: components["schemas"]["OutputColumnsName"] | null;
            /** @description The dataset whose rows are predicted, in its newest version. */
            dataset: string;
            /**
             * Format: int64
             * @description Most attempts, if the job fails with retryable errors; 3 when left out.
             */
            max_attempts?: number;
            /** @description The model. */
            model: string;
            output?: components["schemas"]["OutputFormatName"] | null;
            /**
             * Format: int64
             * @description The priority; 0 when left out. Jobs with a higher priority run first.
             */
            priority?: number;
            /**
             * Format: date-time
             * @description The job does not run before this time.
             */
            run_at?: string | null;
            /**
             * Format: int64
             * @description The time limit of a run, in seconds; 3,600 when left out. Another run continues after the rows that are stored.
             */
            timeout_s?: number;
            /**
             * Format: int64
             * @description A version of the model; not together with `alias`.
             */
            version?: number | null;
            /**
             * Format: uri
             * @description Receives a signed event by `POST` when the job ends (Standard Webhooks). An https URL with a public address.
             */
            webhook_url?: string | null;
        };
        /** @description A prediction request with all defaults. */
        PredictionSpecView: {
            /** @description The columns of the dataset in the result. */
            columns: components["schemas"]["OutputColumnsName"];
            /**
             * @description The dataset whose rows are predicted.
             * @example passengers
             */
            dataset: string;
            /**
             * Format: int64
             * @description The version of the dataset.
             * @example 1
             */
            dataset_version: number;
            /**
             * Format: int64
             * @description Most attempts, if the job fails with retryable errors.
             * @example 3
             */
            max_attempts: number;
            /**
             * @description The model.
             * @example titanic-rf
             */
            model: string;
            /** @description The format of the result. */
            output: components["schemas"]["OutputFormatName"];
            /**
             * Format: int64
             * @description The priority. Jobs with a higher priority run first.
             * @example 0
             */
            priority: number;
            /**
             * Format: date-time
             * @description The job does not run before this time.
             */
            run_at: string | null;
            /**
             * Format: int64
             * @description The time limit of a run, in seconds.
             * @example 3600
             */
            timeout_s: number;
            /**
             * Format: int64
             * @description The version of the model. An alias is resolved when the job is submitted.
             * @example 3
             */
            version: number;
            /** @description The webhook URL, with its query masked. `null` for readers other than administrators and the owner. */
            webhook_url: string | null;
        };
        /** @description The first rows of a dataset. */
        PreviewView: {
            /** @description The column names, in the order of the file. */
            columns: string[];
            /**
             * @description The name of the dataset.
             * @example titanic
             */
            name: string;
            /** @description Up to 50 rows; a missing value is `null`. */
            rows: (string | null)[][];
            /**
             * Format: int64
             * @description The version.
             * @example 1
             */
            version: number;
        };
        /** @description An RFC 9457 problem document. */
        Problem: {
            /** @description The kind of the problem, for programs. */
            code: components["schemas"]["Code"];
            /** @description What is wrong in this request, in a sentence. */
            detail: string;
            /** @description The refused fields; absent if there are none. */
            errors?: components["schemas"]["FieldError"][];
            /**
             * Format: int64
             * @description The number of refused fields that `errors` omits; absent if there are none. `errors` has at most 100 entries.
             */
            errors_omitted?: number;
            /** @description Identifies this request in the logs of the server. */
            request_id?: string;
            /**
             * Format: int32
             * @description The HTTP status.
             */
            status: number;
            /** @description A short title of all problems with this code. */
            title: string;
            /**
             * @description `urn:trainyard:problem:` followed by the code.
             * @example urn:trainyard:problem:validation_failed
             */
            type: string;
        };
        /**
         * @description A metric of the held-out part by which versions are compared.
         * @enum {string}
         */
        PromotionMetricName: "accuracy" | "roc_auc" | "log_loss" | "f1" | "precision" | "recall" | "r2" | "rmse" | "mae";
        /** @description The decision about a guarded promotion. */
        PromotionView: {
            /**
             * @description The reason.
             * @example not promoted: log_loss 0.44 is not better than 0.43 of version 3
             */
            message: string;
            /**
             * @description Whether the version got the alias `production`.
             * @example false
             */
            promoted: boolean;
        };
        /** @description A version of a model. */
        PublishedView: {
            /**
             * @description The name of the model.
             * @example titanic-rf
             */
            name: string;
            /**
             * Format: int64
             * @description The version.
             * @example 3
             */
            version: number;
        };
        /** @description The history of the queue. */
        QueueHistoryView: {
            /**
             * Format: int64
             * @description Time between two samples, in seconds.
             * @example 60
             */
            interval_s: number;
            /** @description The samples, oldest first. Minutes without a sample are left out. */
            points: components["schemas"]["QueuePointView"][];
        };
        /** @description A sample of the queue. */
        QueuePointView: {
            /**
             * Format: date-time
             * @description The full minute.
             */
            at: string;
            /**
             * Format: int64
             * @description Jobs that failed in the minute before.
             * @example 1
             */
            failed: number;
            /**
             * Format: int64
             * @description Jobs that succeeded, failed or were cancelled in the minute before.
             * @example 12
             */
            finished: number;
            /**
             * Format: double
             * @description How long the oldest due job had waited, in seconds; `null` when no job waited.
             * @example 1.5
             */
            oldest_age_s: number | null;
            /**
             * Format: int64
             * @description Queued jobs.
             * @example 3
             */
            queued: number;
            /**
             * Format: int64
             * @description Running jobs.
             * @example 2
             */
            running: number;
        };
        /** @description Queued jobs, running jobs and active workers. */
        QueueView: {
            /**
             * @description All jobs by status.
             * @example {
             *       "cancelled": 0,
             *       "failed": 1,
             *       "queued": 3,
             *       "running": 2,
             *       "succeeded": 40
             *     }
             */
            by_status: {
                [key: string]: number;
            };
            /**
             * Format: int64
             * @description Queued jobs.
             * @example 3
             */
            depth: number;
            /**
             * @description Queued jobs by priority class: `high`, `normal`, `low`.
             * @example {
             *       "high": 0,
             *       "low": 0,
             *       "normal": 3
             *     }
             */
            depth_by_class: {
                [key: string]: number;
            };
            /**
             * Format: double
             * @description How long the oldest due job has waited, in seconds; `null` when no job waits.
             * @example 1.5
             */
            oldest_age_s: number | null;
            /** @description Whether the queue is paused: running jobs continue, and no job starts. */
            paused: boolean;
            /** @description The active workers. */
            workers: components["schemas"]["WorkerView"][];
        };
        /** @description The response of `/health/ready`. */
        Ready: {
            /** @description The checks by name. */
            checks: {
                [key: string]: components["schemas"]["CheckReport"];
            };
            /** @description The state that follows from all checks. */
            status: components["schemas"]["Status"];
        };
        /** @description A refresh token that the client keeps itself. */
        RefreshRequest: {
            /** @description The token from `/login` or from the last `/refresh`. */
            refresh_token: string;
        };
        /** @description How far probabilities agree with frequencies. */
        ReliabilityFiguresView: {
            /**
             * Format: double
             * @description The mean squared error of the probability of the positive class; for three or more classes the mean sum over the
             *     classes.
             * @example 0.14
             */
            brier_score: number;
            /**
             * Format: double
             * @description The mean distance between probability and frequency in ten bins of equal width.
             * @example 0.03
             */
            expected_calibration_error: number;
            /**
             * Format: double
             * @description The mean negative logarithm of the probability of the actual class.
             * @example 0.44
             */
            log_loss: number;
            /**
             * @description The bins. For three or more classes the probability is that of the predicted class, and `positive_share` the share of
             *     right predictions.
             */
            points: components["schemas"]["CalibrationBinView"][];
        };
        /** @description Jobs with `calibration`: how reliable the probabilities for the held-out part are. */
        ReliabilityView: {
            /** @description The calibrated probabilities, which predictions have. */
            after: components["schemas"]["ReliabilityFiguresView"];
            /** @description The probabilities of the model without the calibration. */
            before: components["schemas"]["ReliabilityFiguresView"];
            /**
             * @description The method: `isotonic` or `platt`.
             * @example isotonic
             */
            method: string;
            /**
             * Format: int64
             * @description The number of rows of the training part that the calibration was fitted on, by predictions of models that were not
             *     trained on them.
             * @example 1047
             */
            rows: number;
        };
        /** @description The result of a retry of many jobs. */
        RetriedView: {
            /**
             * @description Whether more jobs may match. Send the request again.
             * @example false
             */
            more: boolean;
            /**
             * @description The number of jobs that were queued again.
             * @example 12
             */
            retried: number;
            /** @description The first hundred skipped jobs. */
            skipped: components["schemas"]["SkippedView"][];
            /**
             * @description The number of matching jobs that were skipped.
             * @example 1
             */
            skipped_total: number;
        };
        /**
         * @description Which jobs to retry. A job must match every given filter.
         * @example {
         *       "error_code": "crashed",
         *       "limit": 1000,
         *       "name": "titanic-rf",
         *       "status": "failed"
         *     }
         */
        RetryRequest: {
            algorithm?: components["schemas"]["AlgorithmName"] | null;
            /**
             * Format: uuid
             * @description The id of the account that submitted the jobs.
             */
            created_by?: string | null;
            error_code?: components["schemas"]["FailureCode"] | null;
            /**
             * Format: int64
             * @description Most jobs to retry, the newest first; 1,000 when left out.
             */
            limit?: number;
            /** @description The name of the model. */
            name?: string | null;
            /** @description `failed` or `cancelled`; `failed` when left out. */
            status?: components["schemas"]["DeadStatus"];
        };
        /** @description An ROC curve from (0, 0) to (1, 1), with at most 101 points. */
        RocCurveView: {
            /** @description False positive rates. */
            fpr: number[];
            /** @description The lowest probability that counts as positive at each point; for the first point 1 more than the highest one. */
            threshold: number[];
            /** @description True positive rates. */
            tpr: number[];
        };
        /**
         * @description The role of an account.
         * @enum {string}
         */
        RoleView: "user" | "admin";
        /**
         * @description The prediction for one of many rows. Its field has the name of the target and is the one property that is not listed
         *     here.
         */
        RowAnswer: {
            /** @description The contributions of the features, with `explain`. */
            explanation?: components["schemas"]["Explanation"];
            /**
             * Format: double
             * @description Probability of the positive class, for targets with two classes.
             * @example 0.97
             */
            prob?: number;
            /** @description Probability per class, for targets with class labels. */
            probabilities?: {
                [key: string]: number;
            };
            /** @description Features that were missing, or whose category did not occur in training; left out if there are none. */
            warnings?: string[];
        } & {
            [key: string]: components["schemas"]["PredictedValue"];
        };
        /**
         * @description Changes to a schedule. Fields that are left out do not change.
         * @example {
         *       "paused": true
         *     }
         */
        SchedulePatch: {
            catch_up?: components["schemas"]["CatchUpView"] | null;
            /** @description The new cron expression. */
            cron?: string | null;
            overlap?: components["schemas"]["OverlapView"] | null;
            /** @description Whether the schedule is paused. Times during a pause are not caught up. */
            paused?: boolean | null;
            spec?: components["schemas"]["TrainingRequest"] | null;
            /** @description The new time zone of `cron`. */
            timezone?: string | null;
        };
        /**
         * @description A schedule. `name`, `cron` and `spec` are required.
         * @example {
         *       "catch_up": "one",
         *       "cron": "30 2 * * *",
         *       "name": "nightly",
         *       "overlap": "skip",
         *       "paused": false,
         *       "spec": {
         *         "algorithm": "random_forest",
         *         "features": [
         *           "sex",
         *           "age",
         *           "pclass"
         *         ],
         *         "name": "titanic-rf"
         *       },
         *       "timezone": "Europe/Berlin"
         *     }
         */
        ScheduleRequest: {
            /** @description How times that passed while no server was running are treated; `one` when left out. */
            catch_up?: components["schemas"]["CatchUpView"];
            /**
             * @description The cron expression: five fields (minute, hour, day of month, month, day of week), six fields with seconds first,
             *     or a nickname such as `@daily`.
             */
            cron: string;
            /** @description The name of the schedule. */
            name: string;
            /** @description How a time at which a job of the schedule is queued or running is treated; `skip` when left out. */
            overlap?: components["schemas"]["OverlapView"];
            /** @description Whether the schedule begins paused; `false` when left out. */
            paused?: boolean;
            /** @description The training request, as for `POST /training` without `run_at`. */
            spec: components["schemas"]["TrainingRequest"];
            /** @description The IANA name of the time zone of `cron`; `UTC` when left out. */
            timezone?: string;
        };
        /** @description A scheduled time and its outcome. */
        ScheduleRunView: {
            /**
             * Format: date-time
             * @description When the outcome was recorded.
             */
            at: string;
            /**
             * Format: date-time
             * @description The scheduled time, or the time of a manual trigger.
             */
            due_at: string;
            /**
             * Format: uuid
             * @description The submitted job, if any. The job may have expired since.
             */
            job_id: string | null;
            /**
             * @description The reason, for people.
             * @example the dataset 'sales' has been deleted
             */
            message: string | null;
            /** @description The outcome. */
            outcome: components["schemas"]["OutcomeView"];
        };
        /** @description A schedule. */
        ScheduleView: {
            /** @description How times that passed while no server was running are treated. */
            catch_up: components["schemas"]["CatchUpView"];
            /**
             * Format: date-time
             * @description When the schedule was created.
             */
            created_at: string;
            /**
             * Format: uuid
             * @description The account that created the schedule, which also submits its jobs.
             */
            created_by: string;
            /**
             * @description The cron expression.
             * @example 30 2 * * *
             */
            cron: string;
            /**
             * Format: uuid
             * @description The id of the schedule.
             * @example 01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11
             */
            id: string;
            /**
             * @description Why the last training request was refused; `null` after the next accepted one.
             * @example the dataset 'sales' has been deleted
             */
            last_error: string | null;
            /**
             * Format: uuid
             * @description The job that was submitted last.
             */
            last_job_id: string | null;
            /**
             * Format: date-time
             * @description When the schedule last submitted a job.
             */
            last_run_at: string | null;
            /**
             * @description The name of the schedule.
             * @example nightly
             */
            name: string;
            /**
             * Format: date-time
             * @description The next time; `null` while the schedule is paused.
             */
            next_run_at: string | null;
            /** @description The next five times, in UTC; empty while the schedule is paused. */
            next_runs: string[];
            /** @description How a time at which a job of the schedule is queued or running is treated. */
            overlap: components["schemas"]["OverlapView"];
            /**
             * @description Whether the schedule is paused.
             * @example false
             */
            paused: boolean;
            /** @description The training request with all defaults. `*` and the newest version of the dataset are resolved at each run. */
            spec: components["schemas"]["SpecView"];
            /**
             * @description The time zone of `cron`.
             * @example Europe/Berlin
             */
            timezone: string;
            /**
             * Format: date-time
             * @description When the schedule was last changed.
             */
            updated_at: string;
        };
        /** @description The result of a search. */
        SearchView: {
            best_single: components["schemas"]["BestSingleView"] | null;
            /**
             * Format: double
             * @description The time budget in seconds.
             * @example 60
             */
            budget_s: number;
            /**
             * @description The score of the ensemble on each fold; empty without a score.
             * @example [
             *       0.43,
             *       0.41,
             *       0.42,
             *       0.45,
             *       0.4
             *     ]
             */
            fold_scores: number[];
            /**
             * Format: double
             * @description How much the last quarter of the time reduced the score: little means that more budget would hardly help. `null`
             *     without a score before.
             * @example 0.0004
             */
            last_quarter_gain: number | null;
            /**
             * @description The name of the scores: `log_loss` or `rmse`.
             * @example log_loss
             */
            metric: string;
            /**
             * Format: double
             * @description Microseconds that the model took for a prediction of one row on this machine, without HTTP and JSON.
             * @example 14.2
             */
            predict_us: number;
            /**
             * Format: double
             * @description The score of the chosen ensemble on the out-of-fold predictions; `null` without a score.
             * @example 0.421
             */
            score: number | null;
            /**
             * @description The trials before the last one with a score that did not fit into the rest of the budget, or that the job left out.
             * @example [
             *       51,
             *       54
             *     ]
             */
            skip_trials: number[];
            /**
             * Format: int64
             * @description The number of trials with a score. With this number as `max_trials`, and the same `skip_trials`, the search can be
             *     repeated.
             * @example 57
             */
            trials: number;
            /**
             * Format: double
             * @description The seconds that the run took.
             * @example 58.7
             */
            used_s: number;
        };
        /** @description A session: an access token and a refresh token. */
        SessionView: {
            /**
             * @description A JWT for the `Authorization: Bearer` header.
             * @example eyJhbGciOiJIUzI1NiJ9…
             */
            access_token: string;
            /**
             * Format: int64
             * @description Seconds until the access token expires.
             * @example 3600
             */
            expires_in: number;
            /**
             * @description Present and `true` after a sign-in with a one-time password, which does not work again. Set a password with
             *     `PUT /me/password`.
             * @example false
             */
            must_change_password?: boolean;
            /**
             * @description Exchanged once for the next pair of tokens. A second use ends the session. Absent in a browser session, whose cookie
             *     contains the token.
             * @example 5b1f0c…
             */
            refresh_token?: string;
            /**
             * @description Always `Bearer`.
             * @example Bearer
             */
            token_type: string;
            /** @description The account that signed in. */
            user: components["schemas"]["UserView"];
        };
        /** @description A job that was skipped. */
        SkippedView: {
            /**
             * Format: uuid
             * @description The id of the job.
             * @example 01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11
             */
            job_id: string;
            /**
             * @description Why the job was skipped.
             * @example its dataset has been deleted
             */
            reason: string;
        };
        /** @description A training request with all defaults. */
        SpecView: {
            /**
             * @description The algorithm.
             * @example random_forest
             */
            algorithm: string;
            auto_promote: components["schemas"]["AutoPromoteView"] | null;
            /** @description Types that replace those of the dataset, by column. */
            column_types: {
                [key: string]: components["schemas"]["DtypeView"];
            };
            /**
             * @description The training dataset.
             * @example titanic
             */
            dataset: string;
            /**
             * Format: int64
             * @description The version of the dataset of a job. A schedule has none: each run uses the newest version.
             * @example 1
             */
            dataset_version?: number;
            /**
             * @description The features. A job has the expanded list; a schedule may have `["*"]`.
             * @example [
             *       "sex",
             *       "age",
             *       "pclass"
             *     ]
             */
            features: string[];
            /**
             * Format: int64
             * @description Most attempts, if the job fails with retryable errors.
             * @example 3
             */
            max_attempts: number;
            /**
             * @description The model to train a version of.
             * @example titanic-rf
             */
            name: string;
            /** @description What happens to features that contain the target. */
            on_leak: components["schemas"]["OnLeakName"];
            /** @description Every parameter of the algorithm. */
            params: {
                [key: string]: components["schemas"]["ParamValue"];
            };
            positive_class: components["schemas"]["LabelValue"] | null;
            /**
             * Format: int64
             * @description The priority. Jobs with a higher priority run first.
             * @example 0
             */
            priority: number;
            /**
             * Format: date-time
             * @description The job does not run before this time.
             */
            run_at: string | null;
            /**
             * Format: int64
             * @description The seed of all random numbers.
             * @example 42
             */
            seed: number;
            /**
             * @description The column to predict.
             * @example survived
             */
            target: string;
            task: components["schemas"]["TaskName"] | null;
            /**
             * Format: int64
             * @description The time limit of a run, in seconds.
             * @example 3600
             */
            timeout_s: number;
            /** @description The webhook URL, with its query masked. `null` for readers other than administrators and the owner. */
            webhook_url: string | null;
        };
        /**
         * @description The state of the process.
         * @enum {string}
         */
        Status: "ok" | "degraded" | "unavailable";
        /**
         * @description The status of a job.
         * @enum {string}
         */
        StatusView: "queued" | "running" | "succeeded" | "failed" | "cancelled";
        /** @description A table with its profile. */
        TableView: {
            /**
             * Format: int64
             * @description Size of the file in bytes, uncompressed.
             */
            bytes: number;
            /**
             * @description The number of columns.
             * @example 11
             */
            column_count: number;
            /** @description The profile of each column, in the order of the file. A list shows the first 50. */
            columns: components["schemas"]["ColumnView"][];
            /**
             * Format: int64
             * @description Rows that repeat an earlier row.
             * @example 0
             */
            duplicate_rows: number;
            /** @description How the file is read. */
            format: components["schemas"]["FormatView"];
            /**
             * @description The name of the dataset.
             * @example titanic
             */
            name: string;
            /**
             * Format: int64
             * @description Rows without the header.
             * @example 1309
             */
            rows: number;
            /** @description SHA-256 of the uncompressed file, hexadecimal. */
            sha256: string;
            /**
             * @description The column that is most likely the target; `null` if none is likely.
             * @example survived
             */
            suggested_target: string | null;
            /**
             * @description The task for the suggested target: `classification` or `regression`.
             * @example classification
             */
            suggested_task: string | null;
            /** @description Warnings about the table and its columns. */
            warnings: string[];
        };
        /**
         * @description What a target is predicted as.
         * @enum {string}
         */
        TaskName: "classification" | "regression";
        /** @description The figures of a threshold. */
        ThresholdFiguresView: {
            /**
             * Format: double
             * @description The share of correct predictions.
             * @example 0.81
             */
            accuracy: number;
            /**
             * Format: double
             * @description Tuned for `cost`: the mean cost of a row.
             * @example 0.42
             */
            cost?: number;
            /**
             * Format: double
             * @description F1 of the positive class.
             * @example 0.76
             */
            f1: number;
            /**
             * Format: double
             * @description The share of the positive class among the rows that are predicted as the positive class.
             * @example 0.74
             */
            precision: number;
            /**
             * Format: double
             * @description The share of the positive class that is predicted as the positive class.
             * @example 0.78
             */
            recall: number;
        };
        /** @description The tuned threshold of a model with two classes. */
        ThresholdView: {
            /** @description The figures of the held-out part. */
            held_out: components["schemas"]["ThresholdFiguresView"];
            /** @description The figures of the held-out part with the threshold 0.5. */
            held_out_at_half: components["schemas"]["ThresholdFiguresView"];
            /**
             * Format: int64
             * @description The number of rows of the training part that it was tuned on, by predictions of models that were not trained on them.
             * @example 1047
             */
            rows: number;
            /** @description The figures of these rows. */
            training_part: components["schemas"]["ThresholdFiguresView"];
            /**
             * @description What it was tuned for: `f1`, `cost`, or `recall` at the wanted precision.
             * @example f1
             */
            tuned_for: string;
            /**
             * Format: double
             * @description The probability from which the positive class is predicted.
             * @example 0.37
             */
            value: number;
        };
        /**
         * @description Which versions answer requests without a version and without an alias, and which versions get copies of these requests.
         * @example {
         *       "shadow": [
         *         5
         *       ],
         *       "versions": {
         *         "3": 90,
         *         "4": 10
         *       }
         *     }
         */
        TrafficRequest: {
            guard?: components["schemas"]["GuardRequest"] | null;
            /** @description Versions that get a copy of each request. Their predictions are compared with the answers and never returned. */
            shadow?: number[];
            /** @description The weight of each version; the sum is at most 1,000,000. Left out or empty, `production` answers, and `shadow` must have a version. */
            versions?: {
                [key: string]: number;
            };
        };
        /** @description The traffic of a model. */
        TrafficView: {
            /** @description The guards of the versions with a weight, while they are watched. */
            guards: components["schemas"]["GuardView"][];
            /**
             * @description The name of the model.
             * @example titanic-rf
             */
            name: string;
            /**
             * @description The versions that get copies of the requests.
             * @example [
             *       5
             *     ]
             */
            shadow: number[];
            /**
             * Format: date-time
             * @description When the traffic was set; `null` if none is set.
             */
            updated_at: string | null;
            /**
             * @description The weight of each version; empty if `production` answers.
             * @example {
             *       "3": 90,
             *       "4": 10
             *     }
             */
            versions: {
                [key: string]: number;
            };
        };
        /**
         * @description What to train. `name`, `algorithm` and `features` are required.
         * @example {
         *       "algorithm": "random_forest",
         *       "dataset": "titanic",
         *       "features": [
         *         "sex",
         *         "age",
         *         "pclass"
         *       ],
         *       "max_attempts": 3,
         *       "name": "titanic-rf",
         *       "params": {
         *         "n_trees": 200
         *       },
         *       "priority": 0,
         *       "run_at": null,
         *       "seed": 42,
         *       "target": "survived",
         *       "timeout_s": 3600,
         *       "webhook_url": null
         *     }
         */
        TrainingRequest: {
            /** @description The name of an algorithm; `GET /algorithms` lists all. */
            algorithm: components["schemas"]["AlgorithmName"];
            auto_promote?: components["schemas"]["AutoPromoteRequest"] | null;
            /**
             * @description Types that replace those of the dataset for this job, by column: `number`, `category`, `boolean`, `datetime` or
             *     `text`.
             */
            column_types?: {
                [key: string]: components["schemas"]["DtypeView"];
            };
            /** @description The training dataset, in its newest version; `titanic` when left out. */
            dataset?: string | null;
            /** @description The features: distinct columns without the target. `["*"]` selects every usable column but the target. */
            features: string[];
            /**
             * Format: int64
             * @description Most attempts, if the job fails with retryable errors; 3 when left out.
             */
            max_attempts?: number;
            /** @description The model to train a version of. */
            name: string;
            on_leak?: components["schemas"]["OnLeakName"] | null;
            /** @description Parameters of the algorithm. A parameter that is left out has its default. */
            params?: {
                [key: string]: components["schemas"]["ParamValue"];
            };
            positive_class?: components["schemas"]["LabelValue"] | null;
            /**
             * Format: int64
             * @description The priority; 0 when left out. Jobs with a higher priority run first.
             */
            priority?: number;
            /**
             * Format: date-time
             * @description The job does not run before this time.
             */
            run_at?: string | null;
            /**
             * Format: int64
             * @description The seed of all random numbers; 42 when left out. The same seed and data give the same model.
             */
            seed?: number;
            /** @description The column to predict; `survived` when left out. Required for datasets other than `titanic`. */
            target?: string | null;
            task?: components["schemas"]["TaskName"] | null;
            /**
             * Format: int64
             * @description The time limit of a run, in seconds; 3,600 when left out.
             */
            timeout_s?: number;
            /**
             * Format: uri
             * @description Receives a signed event by `POST` when the job ends (Standard Webhooks). An https URL with a public address.
             */
            webhook_url?: string | null;
        };
        /** @description A trial of a search: a candidate that was trained and validated on the training part. */
        TrialView: {
            /**
             * @description The algorithm.
             * @example gradient_boosting
             */
            algorithm: string;
            /**
             * Format: int64
             * @description The number of folds that were predicted, each by a model of the other folds.
             * @example 5
             */
            folds: number;
            /** @description The parameters that differ from the defaults. */
            params: Record<string, never>;
            /**
             * Format: int64
             * @description Rows of the training part that the trial used.
             * @example 1047
             */
            rows: number;
            /**
             * Format: double
             * @description Log loss (classification) or RMSE (regression) of the out-of-fold predictions; smaller is better. `null` for a skipped
             *     trial.
             * @example 0.43
             */
            score: number | null;
            /**
             * Format: double
             * @description The duration in seconds.
             * @example 0.61
             */
            seconds: number;
            /** @description Why the trial has no score. */
            skipped?: string;
            /**
             * Format: int64
             * @description The number of the trial, from 1.
             * @example 3
             */
            trial: number;
            /**
             * Format: double
             * @description The weight of the model in the ensemble; 0 if the model is not a member.
             * @example 0.35
             */
            weight: number;
        };
        /** @description A multipart form with the file. */
        UploadForm: {
            /**
             * Format: binary
             * @description The file. A charset in its content type counts.
             */
            file: string;
        };
        /** @description An account, for its owner. */
        UserView: {
            /**
             * Format: date-time
             * @description When the account was created.
             */
            created_at: string;
            /**
             * @description The e-mail address, in lower case.
             * @example ada@example.com
             */
            email: string;
            /**
             * Format: uuid
             * @description The id of the account.
             * @example 01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11
             */
            id: string;
            /** @description The role of the account. */
            role: components["schemas"]["RoleView"];
        };
        /** @description The durations of the requests with the same number of rows. */
        V2BatchStatistics: {
            /** @description Rows per request. */
            batch_size: number;
            /** @description Predicting. */
            compute_infer: components["schemas"]["V2Duration"];
            /** @description Reading the tensors. */
            compute_input: components["schemas"]["V2Duration"];
            /** @description Writing the answer. */
            compute_output: components["schemas"]["V2Duration"];
        };
        /** @description The size of binary data. */
        V2BinaryDataSize: {
            /**
             * Format: int64
             * @description In bytes.
             */
            binary_data_size: number;
        };
        /** @description A count with the sum of its durations. */
        V2Duration: {
            /**
             * Format: int64
             * @description How often.
             */
            count: number;
            /**
             * Format: int64
             * @description The sum of the durations, in nanoseconds.
             */
            ns: number;
        };
        /** @description An error of the Open Inference Protocol, whose clients expect this object from every route under `/v2`. */
        V2Error: {
            /**
             * @description What is wrong in this request, in a sentence.
             * @example the input 'age' is missing; the inputs of this model are sex, age, pclass
             */
            error: string;
        };
        /** @description A version in the repository. */
        V2IndexEntry: {
            /** @description The model. */
            name: string;
            /** @description Why the version is not loaded; empty if it is. */
            reason: string;
            /** @description Whether the version is loaded. */
            state: components["schemas"]["V2State"];
            /** @description The version. */
            version: string;
        };
        /** @description The request of the repository index. */
        V2IndexRequest: {
            /** @description Whether only loaded versions are listed. */
            ready?: boolean | null;
        };
        /** @description An inference answer. With binary data, the body contains this object and then the binary data of the outputs. */
        V2InferAnswer: {
            /** @description The id of the request, if it has one. */
            id?: string;
            /**
             * @description The model.
             * @example titanic-rf
             */
            model_name: string;
            /**
             * @description The version that predicted.
             * @example 3
             */
            model_version: string;
            /** @description The output tensors. */
            outputs: components["schemas"]["V2OutputTensor"][];
        };
        /**
         * @description An inference request. With binary data, the body contains this object and then the binary data of the inputs.
         * @example {
         *       "inputs": [
         *         {
         *           "data": [
         *             "female",
         *             "male"
         *           ],
         *           "datatype": "BYTES",
         *           "name": "sex",
         *           "shape": [
         *             2
         *           ]
         *         },
         *         {
         *           "data": [
         *             29,
         *             null
         *           ],
         *           "datatype": "FP32",
         *           "name": "age",
         *           "shape": [
         *             2
         *           ]
         *         },
         *         {
         *           "data": [
         *             1,
         *             3
         *           ],
         *           "datatype": "INT64",
         *           "name": "pclass",
         *           "shape": [
         *             2
         *           ]
         *         }
         *       ]
         *     }
         */
        V2InferRequest: {
            /** @description Returned in the answer. */
            id?: string | null;
            /** @description One tensor per feature, or one matrix for a model whose features are all numbers. */
            inputs: components["schemas"]["V2InputTensor"][];
            /** @description The outputs to answer; all if it is absent or empty. */
            outputs?: components["schemas"]["V2RequestedOutput"][] | null;
            /** @description `binary_data_output`: whether outputs are answered as binary data by default. Other parameters are ignored. */
            parameters?: {
                [key: string]: components["schemas"]["V2Parameter"];
            } | null;
        };
        /** @description The counts and durations of all requests. */
        V2InferenceStatistics: {
            /** @description Always 0, because there is no response cache. */
            cache_hit: components["schemas"]["V2Duration"];
            /** @description Always 0, because there is no response cache. */
            cache_miss: components["schemas"]["V2Duration"];
            /** @description Predicting. */
            compute_infer: components["schemas"]["V2Duration"];
            /** @description Reading the tensors. */
            compute_input: components["schemas"]["V2Duration"];
            /** @description Writing the answer. */
            compute_output: components["schemas"]["V2Duration"];
            /** @description Refused requests. */
            fail: components["schemas"]["V2Duration"];
            /** @description Waiting for a thread; requests of a few rows do not wait. */
            queue: components["schemas"]["V2Duration"];
            /** @description Answered requests. */
            success: components["schemas"]["V2Duration"];
        };
        /** @description An input tensor. */
        V2InputTensor: {
            /** @description The elements in row-major order, flat or in nested lists of the shape. `null` is a missing value. */
            data?: unknown[] | null;
            /** @description BYTES for categories and dates, BOOL for booleans, any datatype of numbers for numbers. */
            datatype: string;
            /** @description The name of a feature. */
            name: string;
            /** @description `binary_data_size`: the size of the binary data in bytes, instead of `data`. */
            parameters?: {
                [key: string]: components["schemas"]["V2Parameter"];
            } | null;
            /** @description `[n]` or `[n, 1]`; `[n, features]` for a matrix. */
            shape: number[];
        };
        /** @description Whether the server works. */
        V2Live: {
            /** @description Always true. */
            live: boolean;
        };
        /** @description The parameters of load and of unload. */
        V2LoadParameters: {
            /** @description Has no effect. */
            unload_dependents?: boolean | null;
            /**
             * Format: int64
             * @description The number of a version.
             */
            version?: number | null;
        };
        /**
         * @description The request of load and of unload.
         * @example {
         *       "parameters": {
         *         "version": 2
         *       }
         *     }
         */
        V2LoadRequest: {
            parameters?: components["schemas"]["V2LoadParameters"] | null;
        };
        /** @description A model: its versions, inputs and outputs. */
        V2ModelMetadata: {
            /** @description One tensor per feature, in the order of the matrix. */
            inputs: components["schemas"]["V2TensorMetadata"][];
            /**
             * @description The name of the model.
             * @example titanic-rf
             */
            name: string;
            /** @description `predict` and, for classes, `predict_proba`. */
            outputs: components["schemas"]["V2TensorMetadata"][];
            /** @description Further properties. */
            parameters: components["schemas"]["V2ModelParameters"];
            /**
             * @description `trainyard_` followed by the algorithm.
             * @example trainyard_random_forest
             */
            platform: string;
            /** @description The versions that this process has loaded. Another published version is loaded by its first request. */
            versions: string[];
        };
        /** @description Further properties of a model. */
        V2ModelParameters: {
            /**
             * @description The classes in the order of `predict_proba`; absent for a regression.
             * @example [
             *       false,
             *       true
             *     ]
             */
            classes?: unknown[];
            /**
             * @description The name of the tensor of the shape `[n, features]` that can replace all inputs; absent if a feature is no number.
             * @example input
             */
            matrix_input?: string;
        };
        /** @description Whether a model is loaded. */
        V2ModelReady: {
            /**
             * @description The name of the model.
             * @example titanic-rf
             */
            name: string;
            /** @description Whether the version is loaded. */
            ready: boolean;
        };
        /** @description The statistics of one version since it was loaded. Requests of `POST /inference` count too. */
        V2ModelStatistics: {
            /** @description Answered requests by their number of rows, for at most 129 different numbers. */
            batch_stats: components["schemas"]["V2BatchStatistics"][];
            /**
             * Format: int64
             * @description Answered requests, because requests are not batched.
             */
            execution_count: number;
            /**
             * Format: int64
             * @description Predicted rows.
             */
            inference_count: number;
            /** @description All requests. */
            inference_stats: components["schemas"]["V2InferenceStatistics"];
            /**
             * Format: int64
             * @description The time of the last answered request, in milliseconds since 1970; 0 without a request.
             */
            last_inference: number;
            /** @description The model. */
            name: string;
            /** @description The version. */
            version: string;
        };
        /** @description An output tensor. */
        V2OutputTensor: {
            /** @description The elements in row-major order, unless the output is answered as binary data. */
            data?: components["schemas"]["V2Parameter"][];
            /** @description The datatype. */
            datatype: string;
            /** @description `predict` or `predict_proba`. */
            name: string;
            /** @description The size of the binary data, if the output is answered as binary data. */
            parameters?: components["schemas"]["V2BinaryDataSize"];
            /** @description The shape. */
            shape: number[];
        };
        /** @description A string, a number or a boolean. */
        V2Parameter: string | number | boolean;
        /** @description Whether the server can predict. */
        V2Ready: {
            /** @description Whether the models are loaded and the process does not stop. */
            ready: boolean;
        };
        /** @description A requested output. */
        V2RequestedOutput: {
            /** @description `predict` or `predict_proba`. */
            name: string;
            /** @description `binary_data`: whether the output is answered as binary data. */
            parameters?: {
                [key: string]: components["schemas"]["V2Parameter"];
            } | null;
        };
        /** @description The server. */
        V2ServerMetadata: {
            /** @description The extensions of the protocol that the server implements. */
            extensions: string[];
            /**
             * @description The name of the server.
             * @example trainyard
             */
            name: string;
            /** @description Its version. */
            version: string;
        };
        /**
         * @description The state of a version.
         * @enum {string}
         */
        V2State: "READY" | "UNAVAILABLE";
        /** @description The statistics of loaded versions, since each was loaded. */
        V2Statistics: {
            /** @description One entry per version. */
            model_stats: components["schemas"]["V2ModelStatistics"][];
        };
        /** @description A tensor. */
        V2TensorMetadata: {
            /**
             * @description The datatype. An input of numbers takes every datatype of numbers.
             * @example FP64
             */
            datatype: string;
            /**
             * @description The name.
             * @example age
             */
            name: string;
            /**
             * @description The shape; -1 is a dimension of any length.
             * @example [
             *       -1
             *     ]
             */
            shape: number[];
        };
        /** @description A value and its frequency. */
        ValueCount: {
            /**
             * Format: int64
             * @description Rows with the value.
             * @example 843
             */
            count: number;
            /**
             * @description The value as in the file.
             * @example male
             */
            value: string;
        };
        /** @description One version with its signature. */
        VersionDetailView: components["schemas"]["VersionView"] & {
            /** @description The features in the order of the model, with the types of the training job and the values of the training dataset. */
            signature: components["schemas"]["FeatureView"][];
        };
        /** @description One published version of a model. */
        VersionView: {
            /**
             * @description The algorithm that trained the version.
             * @example random_forest
             */
            algorithm: string;
            /**
             * @description The aliases that point at the version.
             * @example [
             *       "production"
             *     ]
             */
            aliases: string[];
            /**
             * Format: date-time
             * @description When the version was published.
             */
            created_at: string;
            /**
             * @description The dataset of the training.
             * @example titanic
             */
            dataset: string | null;
            /**
             * Format: int64
             * @description The version of the dataset.
             * @example 1
             */
            dataset_version: number | null;
            /**
             * @description The features, in the order of the model.
             * @example [
             *       "sex",
             *       "age",
             *       "pclass"
             *     ]
             */
            features: string[];
            /**
             * Format: uuid
             * @description The job that trained the version.
             */
            job_id: string;
            /** @description Metrics on the held-out part, as on the job. */
            metrics: components["schemas"]["MetricsView"];
            /**
             * @description The name of the model.
             * @example titanic-rf
             */
            name: string;
            /** @description The SHA-256 of the artifact, hexadecimal. */
            sha256: string;
            /**
             * Format: int64
             * @description The size of the artifact in bytes.
             * @example 183204
             */
            size: number;
            /**
             * @description The column that the model predicts.
             * @example survived
             */
            target: string;
            /**
             * Format: int64
             * @description The version, from 1.
             * @example 3
             */
            version: number;
        };
        /** @description An active worker. */
        WorkerView: {
            /**
             * Format: int64
             * @description Jobs that the worker runs now.
             * @example 1
             */
            busy: number;
            /**
             * Format: int64
             * @description Jobs that the worker can run concurrently.
             * @example 2
             */
            capacity: number;
            /**
             * Format: date-time
             * @description The time of the last heartbeat.
             */
            heartbeat_at: string;
            /**
             * @description The id of the worker process.
             * @example node-1-4711-8f3a
             */
            id: string;
            /**
             * @description The Trainyard version of the worker.
             * @example 0.1.0
             */
            version: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    read_audit_trail: {
        parameters: {
            query?: {
                /** @description Most items of the page. */
                limit?: number;
                /** @description `next_cursor` of the previous page. */
                cursor?: string;
                /**
                 * @description The action, or the first part of actions with `.*`.
                 * @example account.*
                 */
                action?: string;
                /** @description The account that did the action. */
                actor?: string;
                /**
                 * @description The object of the action.
                 * @example model:titanic-rf
                 */
                subject?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of records. */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_AuditView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A filter has an invalid value. */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_accounts: {
        parameters: {
            query?: {
                /** @description Most items of the page. */
                limit?: number;
                /** @description `next_cursor` of the previous page. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of accounts. */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_AccountView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    invite_account: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Invitation"];
            };
        };
        responses: {
            /** @description The account is created. */
            201: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvitedView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request took too long to arrive */
            408: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The e-mail address is taken. */
            409: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported content type */
            415: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The e-mail address or the role is invalid. */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_account: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The account. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The account is deleted. */
            204: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The account does not exist. */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The account is the last active administrator. */
            409: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    change_account: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The account. */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AccountPatch"];
            };
        };
        responses: {
            /** @description The changed account. */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccountView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The account does not exist. */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request took too long to arrive */
            408: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The account is the last active administrator, or an external issuer manages its role. */
            409: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported content type */
            415: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    reset_password: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The account. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The account with its one-time password. */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvitedView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The account does not exist. */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The password was changed concurrently. */
            409: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_algorithms: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All algorithms. */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_AlgorithmView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_api_keys: {
        parameters: {
            query?: {
                /** @description Most items of the page. */
                limit?: number;
                /** @description `next_cursor` of the previous page. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of keys. */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_ApiKeyView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_api_key: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ApiKeyRequest"];
            };
        };
        responses: {
            /** @description The key is created. */
            201: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedApiKeyView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request is authenticated by an API key. */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request took too long to arrive */
            408: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The account has the maximum number of keys. */
            409: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported content type */
            415: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The name is invalid, the role is higher than the role of the account, or the expiry is in the past. */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_api_key: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The key. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The key is deleted. */
            204: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request is authenticated by an API key. */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The account has no such key. */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_datasets: {
        parameters: {
            query?: {
                /** @description Most items of the page. */
                limit?: number;
                /** @description `next_cursor` of the previous page. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of datasets. */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_DatasetView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    upload_dataset: {
        parameters: {
            query: {
                /**
                 * @description The name of the dataset. An existing dataset gets a new version.
                 * @example passengers
                 */
                name: string;
                /**
                 * @description The character between two fields: `auto`, `,`, `;`, `tab` or `|`.
                 * @example ;
                 */
                delimiter?: string;
                /**
                 * @description The decimal mark of numbers: `auto`, `.` or `,`.
                 * @example ,
                 */
                decimal?: string;
                /**
                 * @description The encoding: `auto`, or a label of the WHATWG encoding standard such as `utf-8`, `utf-16` or `windows-1252`. Wins
                 *     over a `charset` in the content type.
                 * @example windows-1252
                 */
                encoding?: string;
                /**
                 * @description Whether the first row holds the column names: `auto`, `present` or `absent`. Wins over a `header` in the content type.
                 * @example absent
                 */
                header?: string;
                /**
                 * @description Further texts that mean a missing value, separated by commas. They hold in every column.
                 * @example unknown,-9
                 */
                missing?: string;
                /**
                 * @description The types of some columns, as `column:type` separated by commas. A type is `number`, `category`, `boolean`,
                 *     `datetime` or `text`.
                 * @example zip:category,when:datetime
                 */
                types?: string;
                /** @description Whether to answer what would be stored, without storing anything. */
                dry_run?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/gzip": string;
                "application/octet-stream": string;
                "application/vnd.ms-excel": string;
                "multipart/form-data": components["schemas"]["UploadForm"];
                "text/csv": string;
                "text/plain": string;
                "text/tab-separated-values": string;
            };
        };
        responses: {
            /** @description With `dry_run=true`: what would be stored. */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TableView"];
                };
            };
            /** @description The new version with its profile. */
            201: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DatasetView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request took too long to arrive */
            408: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A built-in dataset has this name. */
            409: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The file is too large, before or after decompression. */
            413: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The content type or the content encoding is not supported. The message lists the supported ones. */
            415: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A parameter is invalid, or the file is not a table: the message names row, column and value. */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_dataset: {
        parameters: {
            query?: {
                /**
                 * @description The version; the newest when left out.
                 * @example 1
                 */
                version?: number;
            };
            header?: never;
            path: {
                /**
                 * @description The dataset.
                 * @example titanic
                 */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The dataset. */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DatasetView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The dataset or its version does not exist. */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_dataset: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The dataset. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The dataset is deleted. */
            204: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The dataset does not exist. */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A queued or running job needs the dataset, or the dataset is built in. */
            409: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    preview_dataset: {
        parameters: {
            query?: {
                /**
                 * @description The version; the newest when left out.
                 * @example 1
                 */
                version?: number;
            };
            header?: never;
            path: {
                /**
                 * @description The dataset.
                 * @example titanic
                 */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Up to 50 rows. */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PreviewView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The dataset or its version does not exist. */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    health: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The process works */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The process hangs and must be restarted */
            503: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
        };
    };
    ready: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ready, or degraded: only optional dependencies fail */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ready"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A critical dependency fails, or the process is stopping */
            503: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ready"];
                };
            };
        };
    };
    predict: {
        parameters: {
            query?: never;
            header?: {
                /** @description Requests with the same key are answered by the same version, while the weights stay */
                "X-Trainyard-Request-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InferenceRequest"];
            };
        };
        responses: {
            /** @description The prediction, and the version that made it */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InferenceAnswer"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The model, version or alias does not exist; `errors` names the field */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request took too long to arrive */
            408: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported content type */
            415: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The version is not loaded yet; retry after the time in `Retry-After` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_drift: {
        parameters: {
            query?: {
                /**
                 * @description The model; optional if there is exactly one model or a default model.
                 * @example titanic-rf
                 */
                model?: string;
                /** @description A loaded version. Without it the version that `production` points at. */
                version?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The drift of a loaded version */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Drift"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The model does not exist, or the version is not loaded; `errors` names the parameter */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The version is not loaded yet; retry after the time in `Retry-After` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    login: {
        parameters: {
            query?: {
                /** @description `cookie` keeps the refresh token in an HttpOnly cookie instead of the response; `bearer` when left out. */
                session?: "bearer" | "cookie";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Credentials"];
            };
        };
        responses: {
            /** @description Signed in. */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The e-mail address or the password is wrong. */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request took too long to arrive */
            408: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported content type */
            415: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many failed sign-ins for this account or from this address. */
            429: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    logout: {
        parameters: {
            query?: never;
            header?: {
                /** @description Any value. Required for a browser session. */
                "X-Trainyard-CSRF"?: string;
            };
            path?: never;
            cookie?: never;
        };
        /** @description Left out for a browser session. */
        requestBody?: {
            content: {
                "application/json": components["schemas"]["RefreshRequest"];
            };
        };
        responses: {
            /** @description Signed out. */
            204: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The browser has no session. */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A page of another site used a browser session. */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request took too long to arrive */
            408: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported content type */
            415: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    me: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The account. */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MeView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    change_password: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasswordChange"];
            };
        };
        responses: {
            /** @description The password is changed. All other sessions have ended. */
            204: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The current password is wrong, or the caller is not signed in. */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request took too long to arrive */
            408: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The password was changed concurrently. */
            409: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported content type */
            415: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The new password has fewer than 8 or more than 72 bytes, or equals the current one. */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many failed sign-ins for this account or from this address. */
            429: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    metrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The metrics */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/plain; version=0.0.4": string;
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_models: {
        parameters: {
            query?: {
                /** @description Most items of the page. */
                limit?: number;
                /** @description `next_cursor` of the previous page. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of models. */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_ModelView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_model: {
        parameters: {
            query?: {
                /** @description Most items of the page. */
                limit?: number;
                /** @description `next_cursor` of the previous page. */
                cursor?: string;
            };
            header?: never;
            path: {
                /** @description The model. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The model with a page of its versions. */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelDetailView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The model does not exist. */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_model: {
        parameters: {
            query?: {
                /**
                 * @description Deletes versions with aliases and versions in the traffic of the model as well. Predictions with these aliases then fail, and
                 *     the weights of the model are deleted with a version that has one.
                 * @example false
                 */
                force?: boolean;
            };
            header?: never;
            path: {
                /** @description The model. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The model is deleted. */
            204: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The model does not exist. */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An alias points at a version of the model, or the model has traffic. */
            409: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    move_alias: {
        parameters: {
            query?: {
                /**
                 * @description Moves `production` although the weights of the model's traffic decide which versions answer, and deletes the weights.
                 * @example false
                 */
                force?: boolean;
            };
            header?: never;
            path: {
                /** @description The model. */
                name: string;
                /**
                 * @description The alias.
                 * @example production
                 */
                alias: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AliasRequest"];
            };
        };
        responses: {
            /** @description The alias and its version. */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AliasView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The model does not exist. */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request took too long to arrive */
            408: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The alias is `production`, and the traffic of the model has weights. */
            409: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported content type */
            415: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The alias or the guard is invalid, or the version does not exist. */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    remove_alias: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The model. */
                name: string;
                /**
                 * @description The alias.
                 * @example candidate
                 */
                alias: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The alias is removed. */
            204: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The model or the alias does not exist. */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_alias_history: {
        parameters: {
            query?: {
                /** @description Most items of the page. */
                limit?: number;
                /** @description `next_cursor` of the previous page. */
                cursor?: string;
            };
            header?: never;
            path: {
                /** @description The model. */
                name: string;
                /**
                 * @description The alias.
                 * @example production
                 */
                alias: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of changes. */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_AliasMoveView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The model does not exist, or never had the alias. */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    roll_back_alias: {
        parameters: {
            query?: {
                /**
                 * @description The version that the alias must point at. Two people who roll back the same version then roll back once.
                 * @example 4
                 */
                from?: number;
                /**
                 * @description Rolls `production` back although the weights of the model's traffic decide which versions answer, and deletes the weights.
                 * @example false
                 */
                force?: boolean;
            };
            header?: never;
            path: {
                /** @description The model. */
                name: string;
                /**
                 * @description The alias.
                 * @example production
                 */
                alias: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The alias and its version. */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AliasView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The model or the alias does not exist. */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no version before or it has been deleted, the alias does not point at `from`, or the alias is `production` and the traffic of the model has weights. */
            409: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_traffic: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The model. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The traffic. */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TrafficView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The model does not exist. */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    set_traffic: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The model. */
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TrafficRequest"];
            };
        };
        responses: {
            /** @description The traffic. */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TrafficView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The model does not exist. */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request took too long to arrive */
            408: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported content type */
            415: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid, or versions do not exist; `errors` lists them. */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_traffic: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The model. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The traffic is deleted. */
            204: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The model does not exist, or has no traffic. */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_version: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The model. */
                name: string;
                /** @description The version. */
                version: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The version. */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VersionDetailView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The version does not exist. */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_version: {
        parameters: {
            query?: {
                /**
                 * @description Deletes versions with aliases and versions in the traffic of the model as well. Predictions with these aliases then fail, and
                 *     the weights of the model are deleted with a version that has one.
                 * @example false
                 */
                force?: boolean;
            };
            header?: never;
            path: {
                /** @description The model. */
                name: string;
                /** @description The version. */
                version: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The version is deleted. */
            204: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The version does not exist. */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An alias points at the version, or the traffic of the model uses it. */
            409: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    download_artifact: {
        parameters: {
            query?: {
                /**
                 * @description `tym` is the unchanged artifact; `onnx` converts the model to ONNX.
                 * @example onnx
                 */
                format?: "tym" | "onnx";
            };
            header?: never;
            path: {
                /** @description The model. */
                name: string;
                /** @description The version. */
                version: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The artifact. */
            200: {
                headers: {
                    /** @description The SHA-256 in quotes; for ONNX with the format and the version of the server. */
                    ETag?: string;
                    /** @description The SHA-256 of the unchanged artifact, hexadecimal. */
                    "x-artifact-sha256"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": number[];
                };
            };
            /** @description The client has the artifact already. */
            304: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The version does not exist. */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A query parameter is invalid, or the ONNX file would be too large. */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_model_card: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The model. */
                name: string;
                /** @description The version. */
                version: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The card: Markdown in UTF-8. */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/markdown": string;
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The version does not exist. */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    openapi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The document. */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    submit_prediction: {
        parameters: {
            query?: never;
            header?: {
                /** @description 1 to 255 printable ASCII characters, kept for a day. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PredictionRequest"];
            };
        };
        responses: {
            /** @description The job is stored and queued. */
            202: {
                headers: {
                    /** @description The URL of the job. */
                    Location?: string;
                    /** @description Seconds until the first poll. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AcceptedView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request took too long to arrive */
            408: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The `Idempotency-Key` was used with another body. */
            409: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported content type */
            415: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid; `errors` lists them. */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A limit on queued and running jobs is reached. */
            429: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    download_result: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The job. */
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The result: comma-separated values (RFC 4180) in UTF-8. */
            200: {
                headers: {
                    /** @description The SHA-256 of the result in quotes. */
                    ETag?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": string;
                };
            };
            /** @description The client has the result already. */
            304: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The job does not exist, has expired, or is not a prediction. */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The job has no result: it has not succeeded. */
            409: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request has a query parameter; none is supported. */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_queue: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The queue. */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueueView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_queue_history: {
        parameters: {
            query?: {
                /** @description The number of minutes. */
                minutes?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The history. */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueueHistoryView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    pause_queue: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The paused queue. */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueueView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    resume_queue: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The resumed queue. */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueueView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    refresh: {
        parameters: {
            query?: never;
            header?: {
                /** @description Any value. Required for a browser session. */
                "X-Trainyard-CSRF"?: string;
            };
            path?: never;
            cookie?: never;
        };
        /** @description Left out for a browser session. */
        requestBody?: {
            content: {
                "application/json": components["schemas"]["RefreshRequest"];
            };
        };
        responses: {
            /** @description The next pair of tokens. */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The token is unknown, expired, revoked or used already. */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A page of another site used a browser session. */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request took too long to arrive */
            408: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported content type */
            415: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_schedules: {
        parameters: {
            query?: {
                /** @description Most items of the page. */
                limit?: number;
                /** @description `next_cursor` of the previous page. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of schedules. */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_ScheduleView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_schedule: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ScheduleRequest"];
            };
        };
        responses: {
            /** @description The schedule, with its next five times. */
            201: {
                headers: {
                    /** @description The URL of the schedule. */
                    Location?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScheduleView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request took too long to arrive */
            408: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The name is taken, or the limit on schedules is reached. */
            409: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported content type */
            415: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid; `errors` lists them. Fields of the training request begin with `spec.`. */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_schedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The schedule. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The schedule. */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScheduleView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The schedule does not exist. */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_schedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The schedule. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The schedule is deleted. */
            204: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The schedule does not exist. */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    change_schedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The schedule. */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SchedulePatch"];
            };
        };
        responses: {
            /** @description The changed schedule. */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScheduleView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The schedule does not exist. */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request took too long to arrive */
            408: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The schedule was changed, or fired, concurrently. */
            409: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported content type */
            415: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid; `errors` lists them. Fields of the training request begin with `spec.`. */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_schedule_runs: {
        parameters: {
            query?: {
                /** @description Most items of the page. */
                limit?: number;
                /** @description `next_cursor` of the previous page. */
                cursor?: string;
            };
            header?: never;
            path: {
                /** @description The schedule. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of runs. */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_ScheduleRunView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The schedule does not exist. */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    trigger_schedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The schedule. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job is stored and queued. */
            202: {
                headers: {
                    /** @description The URL of the job. */
                    Location?: string;
                    /** @description Seconds until the first poll. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AcceptedView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The schedule does not exist. */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The training request is no longer valid; `errors` lists the fields. */
            409: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A limit on queued and running jobs is reached. */
            429: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    signup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Credentials"];
            };
        };
        responses: {
            /** @description The account is created. */
            201: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign-up is closed. An administrator can create an account. */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request took too long to arrive */
            408: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The e-mail address is taken. */
            409: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported content type */
            415: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The e-mail address is invalid, or the password has fewer than 8 or more than 72 bytes. */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many sign-ups from this address. */
            429: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_jobs: {
        parameters: {
            query?: {
                /** @description Most items of the page. */
                limit?: number;
                /** @description `next_cursor` of the previous page. */
                cursor?: string;
                /**
                 * @description `queued`, `running`, `succeeded`, `failed`, `cancelled`.
                 * @example failed,cancelled
                 */
                status?: string;
                /**
                 * @description `training`, `prediction`.
                 * @example prediction
                 */
                kind?: string;
                /**
                 * @description Names of models.
                 * @example !titanic-rf
                 */
                name?: string;
                /**
                 * @description Names of algorithms; `GET /algorithms` lists all.
                 * @example random_forest,svm
                 */
                algorithm?: string;
                /**
                 * @description Ids of the accounts that submitted the jobs.
                 * @example 01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11
                 */
                created_by?: string;
                /**
                 * @description Names of datasets, each with all of its versions.
                 * @example titanic
                 */
                dataset?: string;
                /**
                 * @description Error codes of failed jobs. Other jobs have none: a list of codes excludes them, and a list after `!` includes them.
                 * @example out_of_memory,timeout
                 */
                error_code?: string;
                /**
                 * @description Up to five words, of which all must match. A word matches the beginning of the job's id (four or more hexadecimal
                 *     digits), of the model's name, of the dataset's name, of the submitter's e-mail address (for administrators), or of a word of the error.
                 * @example memory
                 */
                search?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of jobs. */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_JobView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A filter has an invalid value. */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    submit_job: {
        parameters: {
            query?: never;
            header?: {
                /** @description 1 to 255 printable ASCII characters, kept for a day. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TrainingRequest"];
            };
        };
        responses: {
            /** @description The job is stored and queued. */
            202: {
                headers: {
                    /** @description The URL of the job. */
                    Location?: string;
                    /** @description Seconds until the first poll. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AcceptedView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request took too long to arrive */
            408: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The `Idempotency-Key` was used with another body. */
            409: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported content type */
            415: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid; `errors` lists them. */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A limit on queued and running jobs is reached. */
            429: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    start_action: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ActionRequest"];
            };
        };
        responses: {
            /** @description The action is stored and will be carried out. */
            202: {
                headers: {
                    /** @description The URL of the action. */
                    Location?: string;
                    /** @description Seconds until the first poll. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ActionAcceptedView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request took too long to arrive */
            408: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The number of matching jobs differs from `expect_count`. */
            409: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported content type */
            415: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A filter has an invalid value, or more than 100,000 jobs match. */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The maximum number of actions is running. */
            429: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_action: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The action. */
                action_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The action. */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ActionView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The action does not exist. */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    submit_jobs: {
        parameters: {
            query?: never;
            header?: {
                /** @description 1 to 255 printable ASCII characters, kept for a day. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BulkRequest"];
            };
        };
        responses: {
            /** @description The jobs are stored and queued. */
            202: {
                headers: {
                    /** @description Seconds until the first poll. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkAcceptedView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request took too long to arrive */
            408: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The `Idempotency-Key` was used with another body. */
            409: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported content type */
            415: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid; `errors` lists them as `jobs[3].features[0]`. No job was stored. */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The jobs would exceed a limit on queued and running jobs. */
            429: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    count_jobs: {
        parameters: {
            query?: {
                /**
                 * @description `queued`, `running`, `succeeded`, `failed`, `cancelled`.
                 * @example failed,cancelled
                 */
                status?: string;
                /**
                 * @description `training`, `prediction`.
                 * @example prediction
                 */
                kind?: string;
                /**
                 * @description Names of models.
                 * @example !titanic-rf
                 */
                name?: string;
                /**
                 * @description Names of algorithms; `GET /algorithms` lists all.
                 * @example random_forest,svm
                 */
                algorithm?: string;
                /**
                 * @description Ids of the accounts that submitted the jobs.
                 * @example 01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11
                 */
                created_by?: string;
                /**
                 * @description Names of datasets, each with all of its versions.
                 * @example titanic
                 */
                dataset?: string;
                /**
                 * @description Error codes of failed jobs. Other jobs have none: a list of codes excludes them, and a list after `!` includes them.
                 * @example out_of_memory,timeout
                 */
                error_code?: string;
                /**
                 * @description Up to five words, of which all must match. A word matches the beginning of the job's id (four or more hexadecimal
                 *     digits), of the model's name, of the dataset's name, of the submitter's e-mail address (for administrators), or of a word of the error.
                 * @example memory
                 */
                search?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The number of jobs. */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobCountView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A filter has an invalid value. */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    retry_jobs: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RetryRequest"];
            };
        };
        responses: {
            /** @description The number of jobs that are queued again. */
            202: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RetriedView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request took too long to arrive */
            408: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported content type */
            415: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A filter has an invalid value. */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The limit on the queued and running jobs of all users is reached, and no job was queued again. */
            429: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_job: {
        parameters: {
            query?: {
                /**
                 * @description Seconds to wait for a change, up to 60. With `If-None-Match`, a change is a different `ETag`.
                 * @example 30
                 */
                wait_s?: number;
            };
            header?: {
                /** @description The `ETag` of the last response. */
                "If-None-Match"?: string;
            };
            path: {
                /** @description The job. */
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job. */
            200: {
                headers: {
                    /** @description Changes with every change of the job. */
                    ETag?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description The job has not changed. */
            304: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The job does not exist. */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancel_job: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The job. */
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job is cancelled, or its cancellation was requested. */
            202: {
                headers: {
                    /** @description The URL of the job. */
                    Location?: string;
                    /** @description Seconds until the first poll. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AcceptedView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The job does not exist. */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The job has finished already. */
            409: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    follow_job: {
        parameters: {
            query?: {
                /** @description `false` ends the stream after the current state and log. Otherwise the stream lasts until the job ends. */
                follow?: boolean;
            };
            header?: {
                /** @description The `id` of the last event that the client received. */
                "Last-Event-ID"?: string;
            };
            path: {
                /** @description The job. */
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The events. */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example id: r7-l1000012
                     *     event: progress
                     *     data: {"eta_s":2.1,"phase":"training","progress":0.6}
                     */
                    "text/event-stream": components["schemas"]["JobEvent"];
                };
            };
            /** @description The client has received the final status; no more events follow. */
            204: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The job does not exist. */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The account has too many open event streams. */
            429: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many event streams are open, or the database is unavailable. */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    retry_job: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The job. */
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job is queued again. */
            202: {
                headers: {
                    /** @description The URL of the job. */
                    Location?: string;
                    /** @description Seconds until the first poll. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AcceptedView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The job does not exist. */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The job is neither failed nor cancelled, or its dataset has been deleted. */
            409: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A limit on queued and running jobs is reached. */
            429: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    v2_server_metadata: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The server */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2ServerMetadata"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
        };
    };
    v2_server_live: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The server works */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Live"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
        };
    };
    v2_server_ready: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ready */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Ready"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description The models are not loaded yet, or the process is stopping */
            503: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Ready"];
                };
            };
        };
    };
    v2_statistics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The statistics */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Statistics"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
        };
    };
    v2_model_metadata: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The name of a model
                 * @example titanic-rf
                 */
                model: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The model */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2ModelMetadata"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description The model does not exist, or `production` points at no version */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description The version is not loaded yet; retry after the time in `Retry-After` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
        };
    };
    v2_infer: {
        parameters: {
            query?: never;
            header?: {
                /** @description Requests with the same key are answered by the same version, while the weights stay */
                "X-Trainyard-Request-Key"?: string;
            };
            path: {
                /**
                 * @description The name of a model
                 * @example titanic-rf
                 */
                model: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["V2InferRequest"];
            };
        };
        responses: {
            /** @description The outputs */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2InferAnswer"];
                };
            };
            /** @description The request does not fit the protocol or the model; `error` names the input */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description The model does not exist, or `production` points at no version */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description The request took too long to arrive */
            408: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description The version is not loaded yet; retry after the time in `Retry-After` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
        };
    };
    v2_model_ready: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The name of a model
                 * @example titanic-rf
                 */
                model: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Loaded */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2ModelReady"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description The model does not exist, or `production` points at no version */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Not loaded yet */
            503: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2ModelReady"];
                };
            };
        };
    };
    v2_model_statistics: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The name of a model
                 * @example titanic-rf
                 */
                model: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The statistics */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Statistics"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description No version of the model is loaded */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
        };
    };
    v2_version_metadata: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The name of a model
                 * @example titanic-rf
                 */
                model: string;
                /**
                 * @description The number of a version
                 * @example 1
                 */
                version: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The model */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2ModelMetadata"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description The version does not exist */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description The version is not loaded yet; retry after the time in `Retry-After` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
        };
    };
    v2_infer_version: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The name of a model
                 * @example titanic-rf
                 */
                model: string;
                /**
                 * @description The number of a version
                 * @example 1
                 */
                version: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["V2InferRequest"];
            };
        };
        responses: {
            /** @description The outputs */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2InferAnswer"];
                };
            };
            /** @description The request does not fit the protocol or the model; `error` names the input */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description The version does not exist */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description The request took too long to arrive */
            408: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description The version is not loaded yet; retry after the time in `Retry-After` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
        };
    };
    v2_version_ready: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The name of a model
                 * @example titanic-rf
                 */
                model: string;
                /**
                 * @description The number of a version
                 * @example 1
                 */
                version: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Loaded */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2ModelReady"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description The version does not exist or is not loaded */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Not loaded yet */
            503: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2ModelReady"];
                };
            };
        };
    };
    v2_version_statistics: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The name of a model
                 * @example titanic-rf
                 */
                model: string;
                /**
                 * @description The number of a version
                 * @example 1
                 */
                version: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The statistics */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Statistics"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description The version is not loaded */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
        };
    };
    v2_repository_index: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["V2IndexRequest"] | null;
            };
        };
        responses: {
            /** @description The versions by name and number */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2IndexEntry"][];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description The request took too long to arrive */
            408: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description The database is unavailable; with `ready` the index does not need it */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
        };
    };
    v2_load_model: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The name of a model
                 * @example titanic-rf
                 */
                model: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["V2LoadRequest"] | null;
            };
        };
        responses: {
            /** @description The version is loaded */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The memory budget has no room for the version, or a parameter is not valid */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description The model or the version does not exist, or `production` points at no version */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description The request took too long to arrive */
            408: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description The version is not loaded yet; retry after the time in `Retry-After` */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
        };
    };
    v2_unload_model: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The name of a model
                 * @example titanic-rf
                 */
                model: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["V2LoadRequest"] | null;
            };
        };
        responses: {
            /** @description The versions are released */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description The model or the version is not loaded */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description The request took too long to arrive */
            408: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description An alias points at the version, or the traffic of the model or the settings need it */
            409: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["V2Error"];
                };
            };
        };
    };
    list_webhook_deliveries: {
        parameters: {
            query?: {
                /** @description Most items of the page. */
                limit?: number;
                /** @description `next_cursor` of the previous page. */
                cursor?: string;
                /**
                 * @description `pending`, `delivered` or `failed`.
                 * @example failed
                 */
                status?: "pending" | "delivered" | "failed";
                /** @description The job of the deliveries. */
                job_id?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of deliveries. */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["List_DeliveryView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A filter has an invalid value. */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_webhook_delivery: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The delivery. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The delivery. */
            200: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeliveryView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The delivery does not exist, or has expired. */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    replay_webhook_delivery: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The delivery. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The delivery is due now. */
            202: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeliveryView"];
                };
            };
            /** @description The request can't be read */
            400: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sign in first */
            401: {
                headers: {
                    /** @description `Bearer`, with an error code if the token was refused. */
                    "WWW-Authenticate"?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not allowed for this role */
            403: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The delivery does not exist, or has expired. */
            404: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Method not allowed */
            405: {
                headers: {
                    /** @description The methods that the path supports. */
                    Allow?: string;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Some fields are not valid */
            422: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Internal error */
            500: {
                headers: {
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Temporarily unavailable */
            503: {
                headers: {
                    /** @description Seconds to wait before the next attempt. */
                    "Retry-After"?: number;
                    /** @description Identifies this request in the logs of the server. */
                    "x-request-id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
