//! The load generator: closed loops, which send the next request after a response, and open loops with a fixed rate.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::http::{Connection, head};

/// The results of a closed loop.
#[derive(Debug)]
pub(crate) struct Load {
    /// Responses per second after the warm-up.
    pub(crate) per_second: f64,
    /// Latencies after the warm-up in microseconds, sorted.
    pub(crate) latencies_us: Vec<u32>,
    /// Number of responses, including the warm-up.
    pub(crate) answered: u64,
}

/// Sends `request` on `connections` connections in a closed loop, for `warm_up` and then for `length`, from one thread.
///
/// # Errors
/// If a response has another status than `expected`, or a connection fails.
pub(crate) fn closed_loop(
    port: u16,
    request: &[u8],
    expected: u16,
    connections: usize,
    (warm_up, length): (Duration, Duration),
) -> anyhow::Result<Load> {
    let request: Arc<[u8]> = request.into();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let from = Instant::now() + warm_up;
        let until = from + length;
        let loops = (0..connections).map(|_| tokio::spawn(one_loop(port, request.clone(), expected, from, until)));
        let (mut latencies_us, mut answered) = (Vec::new(), 0);
        for one in loops.collect::<Vec<_>>() {
            let (seen, all) = one.await??;
            latencies_us.extend(seen);
            answered += all;
        }
        latencies_us.sort_unstable();
        Ok(Load { per_second: latencies_us.len() as f64 / length.as_secs_f64(), latencies_us, answered })
    })
}

async fn one_loop(
    port: u16,
    request: Arc<[u8]>,
    expected: u16,
    from: Instant,
    until: Instant,
) -> anyhow::Result<(Vec<u32>, u64)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    let (mut latencies, mut answered) = (Vec::new(), 0);
    let mut received = Vec::with_capacity(8192);
    loop {
        let sent = Instant::now();
        if sent >= until {
            return Ok((latencies, answered));
        }
        stream.write_all(&request).await?;
        received.clear();
        let head = loop {
            ensure!(stream.read_buf(&mut received).await? > 0, "the server closed a connection");
            if let Some(head) = head(&received)?.filter(|head| received.len() >= head.length) {
                break head;
            }
        };
        let now = Instant::now();
        let body = || String::from_utf8_lossy(&received[head.body_at..]).into_owned();
        ensure!(head.status == expected, "answered {} with {}", head.status, body());
        answered += 1;
        if now >= from && now < until {
            latencies.push(micros(now - sent));
        }
    }
}

/// Sends `per_second` requests per second for `length`, with one thread per connection. Returns all latencies in
/// microseconds, sorted. A latency begins when the request is *due*, so a stall affects every delayed request.
///
/// # Errors
/// If a response is not a 200, or a connection fails.
pub(crate) fn open_loop(
    port: u16,
    requests: Vec<Vec<u8>>,
    connections: usize,
    per_second: f64,
    length: Duration,
) -> anyhow::Result<Vec<u32>> {
    let requests = Arc::new(requests);
    let start = Instant::now() + Duration::from_millis(200);
    let total = (per_second * length.as_secs_f64()) as usize;
    let threads: Vec<JoinHandle<anyhow::Result<Vec<u32>>>> = (0..connections)
        .map(|first| {
            let requests = requests.clone();
            std::thread::spawn(move || {
                let mut connection = Connection::open(port)?;
                let mut latencies = Vec::with_capacity(total / connections + 1);
                for i in (first..total).step_by(connections) {
                    let due = start + Duration::from_secs_f64(i as f64 / per_second);
                    pause(due.saturating_duration_since(Instant::now()));
                    let (status, body) = connection.call(&requests[i % requests.len()])?;
                    ensure!(status == 200, "answered {status} with {}", String::from_utf8_lossy(body));
                    latencies.push(micros(due.elapsed()));
                }
                Ok(latencies)
            })
        })
        .collect();
    let mut latencies = Vec::with_capacity(total);
    for thread in threads {
        latencies.extend(thread.join().map_err(|_| anyhow!("a generator thread panicked"))?.context("open loop")?);
    }
    latencies.sort_unstable();
    Ok(latencies)
}

/// Pauses this thread.
#[expect(clippy::disallowed_methods, reason = "a load generator has a time schedule")]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}

fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}
