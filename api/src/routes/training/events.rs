//! `GET /training/{job_id}/events`: a job as it goes on, as Server-Sent Events.

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
use crate::feed::{Feed, Position, Told};
use crate::hub::{JobWatch, Seen};
use crate::session_watch::WatchedSession;
use crate::state::ApiState;
use crate::views::event::EventView;

/// When a client whose stream was ended by us should come back.
const RETRY: Duration = Duration::from_secs(1);
const BUSY_RETRY_S: u64 = 5;
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Whether to stay.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventsQuery {
    /// `false` ends the stream with what there is now; otherwise it goes on to the job's end.
    #[param(default = true)]
    follow: Option<bool>,
}

/// Follow a job.
///
/// The job as it goes on, as Server-Sent Events. `status` tells where it stands (`job_id, status, attempt, phase,
/// progress, eta_s, error, model`): first of all, and whenever that changes. `progress` tells how far it is (`progress,
/// phase, eta_s`), `log` what is said on the way (`at, level, message`), `metric` what is measured (`at, name, value,
/// step`). The stream ends after the final status, which comes after the last log line. A client that lost its stream
/// sends the last `id` as `Last-Event-ID` and is told what it missed, and nothing twice. Streams that the server ends
/// early, when it stops or after as long as an access token lasts, end with a `retry`.
#[utoipa::path(
    get, path = "/training/{job_id}/events", operation_id = "follow_job", tag = "training",
    params(
        ("job_id" = Uuid, Path, description = "The job."),
        EventsQuery,
        ("Last-Event-ID" = Option<String>, Header, description = "The `id` of the last event that was read."),
    ),
    responses(
        (status = 200, description = "The events.", body = EventView, content_type = "text/event-stream",
            example = "id: r7-l1000012\nevent: progress\ndata: {\"eta_s\":2.1,\"phase\":\"training\",\"progress\":0.6}\n\n"),
        (status = 204, description = "The client has seen the final status: there is nothing more to come."),
        (status = 404, description = "There is no such job."),
        (status = 429, description = "Too many streams of this account are open."),
        (status = 503, description = "Too many streams are open, or the database is unavailable."),
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
    let most = state.config.max_event_streams_per_user;
    let session = state.sessions().stream(&principal, most).ok_or_else(|| {
        let detail =
            format!("{most} event streams of this account are open (api.max_event_streams_per_user); close one");
        Problem::new(Code::RateLimited, detail).retry_after(BUSY_RETRY_S)
    })?;
    let permit = state.event_streams().clone().try_acquire_owned().map_err(|_| {
        Problem::new(Code::Unavailable, "too many event streams are open; come back shortly").retry_after(BUSY_RETRY_S)
    })?;
    let position = headers.get(LAST_EVENT_ID).and_then(|id| Position::parse(id.to_str().ok()?));
    let mut seen = state.hub().watch(id, true);
    let first = seen.first().await.map_err(Problem::internal)?;
    let feed = Feed::from(position);
    match first {
        Seen::Missing => return Err(missing()),
        Seen::Unavailable | Seen::NotYet => return Err(Problem::unavailable("the database", "the hub has no answer")),
        // To browsers, which come back when a stream ends, this says not to.
        Seen::Here(sight) if feed.is_over(&sight) => return Ok(StatusCode::NO_CONTENT.into_response()),
        Seen::Here(_) => seen.mark_changed(),
    }
    let follower = Follower {
        feed,
        seen,
        waiting: VecDeque::new(),
        follow: query.follow.unwrap_or(true),
        until: Instant::now() + state.config.longest_stream(),
        stopping: state.stopping.clone(),
        session,
        ended: false,
        _open: Open::count(permit),
    };
    let mut response = Sse::new(follower.events())
        .keep_alive(KeepAlive::new().interval(state.config.event_heartbeat()))
        .into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Asks nginx, and those who do as it does, to pass events on as they come.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// One client's stream.
struct Follower {
    feed: Feed,
    seen: JobWatch,
    waiting: VecDeque<Told>,
    follow: bool,
    until: Instant,
    stopping: CancellationToken,
    session: WatchedSession,
    ended: bool,
    _open: Open,
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
            if let Some(told) = self.waiting.pop_front() {
                let data = told.data.to_string();
                return Some(Event::default().id(told.id.to_string()).event(told.event).data(data));
            }
            if self.ended {
                return None;
            }
            let seen = tokio::select! {
                biased;
                // The stream ends without `retry`: the account's next request is refused.
                () = self.session.ended() => return None,
                changed = self.seen.changed() => changed?,
                () = self.stopping.cancelled() => return Some(self.leave()),
                () = tokio::time::sleep_until(self.until) => return Some(self.leave()),
            };
            match seen {
                Seen::Here(sight) => {
                    self.waiting.extend(self.feed.next(&sight));
                    self.ended = self.feed.is_over(&sight) || (!self.follow && sight.is_whole);
                }
                // Removed while it was watched.
                Seen::Missing => self.ended = true,
                Seen::NotYet | Seen::Unavailable => {}
            }
        }
    }

    /// The last word of a stream that ends before its job: come back, and to another process if need be.
    fn leave(&mut self) -> Event {
        self.ended = true;
        Event::default().retry(RETRY)
    }
}

/// Counts as an open stream until it is dropped.
struct Open(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

impl Open {
    fn count(permit: OwnedSemaphorePermit) -> Self {
        metrics::gauge!(API_EVENT_STREAMS).increment(1.0);
        Self(permit)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        metrics::gauge!(API_EVENT_STREAMS).decrement(1.0);
    }
}
