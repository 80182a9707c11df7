//! The load generator: closed loops, which send the next request after a response, and open loops with a fixed rate.
//!
//! The generator shares the cores with the system under test, so a closed loop also measures its own CPU time.

mod overload;

use std::sync::Arc;
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::http::{Connection, Head, head};
use crate::usage::own_cpu_s;

pub(crate) use overload::{Overload, Overloaded, overload};

/// The results of a closed loop.
#[derive(Debug)]
pub(crate) struct Load {
    /// Responses per second after the warm-up.
    pub(crate) per_second: f64,
    /// Latencies after the warm-up in microseconds, sorted.
    pub(crate) latencies_us: Vec<u32>,
    /// Number of responses, including the warm-up.
    pub(crate) answered: u64,
    /// CPU time of the generator in seconds, including the warm-up.
    pub(crate) generator_cpu_s: f64,
}

/// Sends `requests` on `connections` connections in a closed loop, for `warm_up` and then for `length`, from one thread.
/// Each connection sends all requests one after the other, from another start.
///
/// # Errors
/// If a response has another status than `expected`, or a connection fails.
pub(crate) fn closed_loop(
    port: u16,
    requests: &[Vec<u8>],
    expected: u16,
    connections: usize,
    (warm_up, length): (Duration, Duration),
) -> anyhow::Result<Load> {
    let requests: Arc<[Vec<u8>]> = requests.into();
    let cpu_before = own_cpu_s();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let from = Instant::now() + warm_up;
        let until = from + length;
        let loops =
            (0..connections).map(|first| tokio::spawn(one_loop(port, requests.clone(), first, expected, from, until)));
        let (mut latencies_us, mut answered) = (Vec::new(), 0);
        for one in loops.collect::<Vec<_>>() {
            let (seen, all) = one.await??;
            latencies_us.extend(seen);
            answered += all;
        }
        latencies_us.sort_unstable();
        let per_second = latencies_us.len() as f64 / length.as_secs_f64();
        Ok(Load { per_second, latencies_us, answered, generator_cpu_s: own_cpu_s() - cpu_before })
    })
}

async fn one_loop(
    port: u16,
    requests: Arc<[Vec<u8>]>,
    first: usize,
    expected: u16,
    from: Instant,
    until: Instant,
) -> anyhow::Result<(Vec<u32>, u64)> {
    let mut stream = open_stream(port).await?;
    let (mut latencies, mut answered) = (Vec::new(), 0);
    let mut received = Vec::with_capacity(8192);
    for request in requests.iter().cycle().skip(first % requests.len()) {
        let sent = Instant::now();
        if sent >= until {
            break;
        }
        let head = exchange(&mut stream, request, &mut received).await?;
        let now = Instant::now();
        let body = || String::from_utf8_lossy(&received[head.body_at..]).into_owned();
        ensure!(head.status == expected, "answered {} with {}", head.status, body());
        answered += 1;
        if now >= from && now < until {
            latencies.push(micros(now - sent));
        }
    }
    Ok((latencies, answered))
}

async fn open_stream(port: u16) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Sends a request and reads its response into `received`.
async fn exchange(stream: &mut TcpStream, request: &[u8], received: &mut Vec<u8>) -> anyhow::Result<Head> {
    stream.write_all(request).await?;
    received.clear();
    loop {
        ensure!(stream.read_buf(received).await? > 0, "the server closed a connection");
        if let Some(head) = head(received)?.filter(|head| received.len() >= head.length) {
            return Ok(head);
        }
    }
}

/// A request of an open loop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scheduled<T> {
    /// When the request was due, from the start of the loop.
    pub(crate) due: Duration,
    /// From `due` to the response, in microseconds.
    pub(crate) latency_us: u32,
    /// What was read from the response.
    pub(crate) answer: T,
}

/// An open loop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schedule {
    /// The connections, each with a thread of its own.
    pub(crate) connections: usize,
    pub(crate) per_second: f64,
    pub(crate) length: Duration,
}

/// Time after the end of the schedule in which delayed requests are still sent.
const OVERTIME: Duration = Duration::from_secs(10);
/// Time until the first request is due, in which the connections are opened.
pub(crate) const LEAD: Duration = Duration::from_millis(200);

impl Schedule {
    /// Sends `requests` from `start` on, one after the other, and calls `read` with each response, or with the error of the
    /// connection, which is then opened again. Returns the requests of each connection in their order.
    ///
    /// A latency begins when the request is *due*, so a stall affects every delayed request.
    ///
    /// # Errors
    /// Those of `read`, and if a connection can't be opened or the requests are not sent soon after their schedule.
    pub(crate) fn run<T: Send>(
        self,
        start: Instant,
        port: u16,
        requests: &[Vec<u8>],
        read: impl Fn(std::io::Result<(u16, &[u8])>) -> anyhow::Result<T> + Sync,
    ) -> anyhow::Result<Vec<Vec<Scheduled<T>>>> {
        let read = &read;
        std::thread::scope(|scope| {
            let one = |first| scope.spawn(move || self.one_connection(port, requests, start, first, read));
            let threads: Vec<_> = (0..self.connections).map(one).collect();
            let join = |thread: ScopedJoinHandle<'_, anyhow::Result<Vec<Scheduled<T>>>>| {
                thread.join().map_err(|_| anyhow!("a generator thread panicked"))?.context("open loop")
            };
            threads.into_iter().map(join).collect()
        })
    }

    fn one_connection<T>(
        self,
        port: u16,
        requests: &[Vec<u8>],
        start: Instant,
        first: usize,
        read: impl Fn(std::io::Result<(u16, &[u8])>) -> anyhow::Result<T>,
    ) -> anyhow::Result<Vec<Scheduled<T>>> {
        sleep_precisely();
        let total = (self.per_second * self.length.as_secs_f64()) as usize;
        let mut connection = Connection::open(port)?;
        let mut done = Vec::with_capacity(total / self.connections + 1);
        for i in (first..total).step_by(self.connections) {
            let due = Duration::from_secs_f64(i as f64 / self.per_second);
            pause((start + due).saturating_duration_since(Instant::now()));
            ensure!(start.elapsed() < self.length + OVERTIME, "{} requests per second are too many", self.per_second);
            let response = connection.call(&requests[i % requests.len()]);
            let (latency_us, failed) = (micros((start + due).elapsed()), response.is_err());
            done.push(Scheduled { due, latency_us, answer: read(response)? });
            if failed {
                connection = Connection::open(port)?;
            }
        }
        Ok(done)
    }
}

/// Sends `per_second` requests per second for `length`, with one thread per connection. Returns all latencies in
/// microseconds, sorted.
///
/// # Errors
/// If a response is not a 200, or a connection fails.
pub(crate) fn open_loop(port: u16, requests: &[Vec<u8>], schedule: Schedule) -> anyhow::Result<Vec<u32>> {
    let done = schedule.run(Instant::now() + LEAD, port, requests, |response| {
        let (status, body) = response?;
        ensure!(status == 200, "answered {status} with {}", String::from_utf8_lossy(body));
        Ok(())
    })?;
    let mut latencies: Vec<u32> = done.into_iter().flatten().map(|request| request.latency_us).collect();
    latencies.sort_unstable();
    Ok(latencies)
}

/// Lets this thread sleep without the 50 microseconds by which Linux may delay a wake-up.
fn sleep_precisely() {
    // SAFETY: this option of prctl takes a number, and has no memory effects.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1_000) };
}

/// Pauses this thread.
#[expect(clippy::disallowed_methods, reason = "a load generator has a time schedule")]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}

fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}
