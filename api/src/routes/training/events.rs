//! `GET /training/{job_id}/events`: the changes of a job as Server-Sent Events.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::{Stream, stream};
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use trainyard_domain::JobId;
use trainyard_http::{Code, Path, Principal, Problem, Query};
use trainyard_telemetry::catalogue::API_EVENT_STREAMS;

use super::{check_may_read, missing};
use crate::event_stream::{EventId, EventStream, StreamEvent};
use crate::job_watcher::{JobSubscription, Observation};
use crate::schemas::event::EventView;
use crate::session_watcher::WatchedSession;
use crate::state::ApiState;

/// When a client may reconnect after the server ended its stream.
const RECONNECT_AFTER: Duration = Duration::from_secs(1);
const BUSY_RETRY_S: u64 = 5;
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Whether to follow the job.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventsQuery {
    /// `false` ends the stream after the current state and log. Otherwise the stream lasts until the job ends.
    #[param(default = true)]
    follow: Option<bool>,
}

/// Follow a job.
///
/// The changes of a job as Server-Sent Events. `status` (`job_id, status, attempt, phase, progress, eta_s, error, model`)
/// comes first, and again when the status changes. `progress` has `progress, phase, eta_s`; `log` has `at, level, message`;
/// `metric` has `at, name, value, step`. The stream ends after the final status, which follows the last log line. A client
/// that reconnects sends the last `id` as `Last-Event-ID` and gets the events that it missed, none twice. When the server
/// stops, and after the lifetime of an access token, the stream ends early, with a `retry`.
#[utoipa::path(
    get, path = "/training/{job_id}/events", operation_id = "follow_job", tag = "training",
    params(
        ("job_id" = Uuid, Path, description = "The job."),
        EventsQuery,
        ("Last-Event-ID" = Option<String>, Header, description = "The `id` of the last event that the client received."),
    ),
    responses(
        (status = 200, description = "The events.", body = EventView, content_type = "text/event-stream",
            example = "id: r7-l1000012\nevent: progress\ndata: {\"eta_s\":2.1,\"phase\":\"training\",\"progress\":0.6}\n\n"),
        (status = 204, description = "The client has received the final status; no more events follow."),
        (status = 404, description = "The job does not exist."),
        (status = 429, description = "The account has too many open event streams."),
        (status = 503, description = "Too many event streams are open, or the database is unavailable."),
    )
)]
pub async fn get(
    State(state): State<ApiState>,
    principal: Principal,
    Path(id): Path<JobId>,
    Query(query): Query<EventsQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    check_may_read(&state, &principal, id).await?;
    let max = state.config.max_event_streams_per_user;
    let session = state.session_watcher().watch_stream(&principal, max).ok_or_else(|| {
        let detail =
            format!("this account has {max} open event streams (api.max_event_streams_per_user); close one first");
        Problem::new(Code::RateLimited, detail).retry_after(BUSY_RETRY_S)
    })?;
    let permit = state.event_streams().clone().try_acquire_owned().map_err(|_| {
        Problem::new(Code::Unavailable, "too many event streams are open (api.max_event_streams); try again later")
            .retry_after(BUSY_RETRY_S)
    })?;
    let position = headers.get(LAST_EVENT_ID).and_then(|id| EventId::parse(id.to_str().ok()?));
    let mut subscription = state.job_watcher().subscribe(id, true);
    let first = subscription.first().await.map_err(Problem::internal)?;
    let stream = EventStream::resume(position);
    match first {
        Observation::Missing => return Err(missing()),
        Observation::Unavailable | Observation::Pending => {
            return Err(Problem::unavailable("the database", "the job could not be read"));
        }
        // A browser reconnects after the end of a stream, but not after 204.
        Observation::Found(watched) if stream.is_over(&watched) => return Ok(StatusCode::NO_CONTENT.into_response()),
        Observation::Found(_) => subscription.mark_changed(),
    }
    let follower = Follower {
        stream,
        subscription,
        unsent: VecDeque::new(),
        follow: query.follow.unwrap_or(true),
        deadline: Instant::now() + state.config.max_stream_duration(),
        stopping: state.stopping.clone(),
        session,
        ended: false,
        _open: OpenStream::new(permit),
    };
    let mut response = Sse::new(follower.events())
        .keep_alive(KeepAlive::new().interval(state.config.event_heartbeat()))
        .into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Disables response buffering in nginx and compatible proxies.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// The event stream of one client.
struct Follower {
    stream: EventStream,
    subscription: JobSubscription,
    unsent: VecDeque<StreamEvent>,
    follow: bool,
    deadline: Instant,
    stopping: CancellationToken,
    session: WatchedSession,
    ended: bool,
    _open: OpenStream,
}

impl Follower {
    fn events(self) -> impl Stream<Item = Result<Event, Infallible>> + Send {
        stream::unfold(self, |mut follower| async move {
            let event = follower.next().await?;
            Some((Ok(event), follower))
        })
    }

    /// The next event; `None` at the end.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.unsent.pop_front() {
                let data = event.data.to_string();
                return Some(Event::default().id(event.id.to_string()).event(event.name).data(data));
            }
            if self.ended {
                return None;
            }
            let observation = tokio::select! {
                biased;
                // The stream ends without `retry`: the next request of the account would be refused.
                () = self.session.ended() => return None,
                changed = self.subscription.changed() => changed?,
                () = self.stopping.cancelled() => return Some(self.end_early()),
                () = tokio::time::sleep_until(self.deadline) => return Some(self.end_early()),
            };
            match observation {
                Observation::Found(watched) => {
                    self.unsent.extend(self.stream.next_events(&watched));
                    self.ended = self.stream.is_over(&watched) || (!self.follow && watched.log_complete);
                }
                // The job was removed while it was watched.
                Observation::Missing => self.ended = true,
                Observation::Pending | Observation::Unavailable => {}
            }
        }
    }

    /// The last event of a stream that ends before its job. The client reconnects, maybe to another process.
    fn end_early(&mut self) -> Event {
        self.ended = true;
        Event::default().retry(RECONNECT_AFTER)
    }
}

/// Counts an open stream until it is dropped.
struct OpenStream(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

impl OpenStream {
    fn new(permit: OwnedSemaphorePermit) -> Self {
        metrics::gauge!(API_EVENT_STREAMS).increment(1.0);
        Self(permit)
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        metrics::gauge!(API_EVENT_STREAMS).decrement(1.0);
    }
}
