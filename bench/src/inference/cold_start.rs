//! Cold start: from the start of the process to the first right answers, with the artifacts in the local cache.

use std::time::{Duration, Instant};

use anyhow::ensure;

use super::Bench;
use super::contender::Running;
use super::protocol::{MODEL, objects};
use super::table;
use crate::http::{Connection, request};
use crate::load::pause;
use crate::report::{Goal, Section, TRAINYARD};

const MODELS: usize = 50;
const QUICK_MODELS: usize = 10;
const LIMIT: Duration = Duration::from_secs(30);
const STEP: Duration = Duration::from_micros(500);
const FIRST_OF_ONE: &str = "1 model: first right answer, ms";
const MAX_ONE_MS: f64 = 50.0;
const MAX_ALL_MS: f64 = 1_000.0;

/// A request, and the body of its right answer.
struct Expected {
    request: Vec<u8>,
    answer: Vec<u8>,
}

/// Measures only Trainyard.
///
/// # Errors
/// If Trainyard does not start or does not answer.
pub(crate) fn measure(bench: &mut Bench) -> anyhow::Result<Section> {
    let (starts, models) = bench.sized((7, MODELS), (3, QUICK_MODELS));
    let how = format!(
        "From before the start of an inference process until it has answered with the same body as the process before, {starts} \
        starts each. The artifacts are in its disk cache, and database and queue are available. With {models} models the last \
        column counts until each of them has answered. Requests are repeated every half millisecond until they are answered."
    );
    let mut section = Section { title: "Cold start", how, ..Section::default() };
    // The other models must not exist yet.
    let expected = expected(bench, &[MODEL.to_owned()])?;
    for _ in 0..starts {
        let (first, _) = start(bench, &expected)?;
        section.add(TRAINYARD, FIRST_OF_ONE, first);
    }
    let mut names = bench.pool.train_models(models - 1)?;
    names.push(MODEL.to_owned());
    let expected = self::expected(bench, &names)?;
    for _ in 0..starts {
        let (first, all) = start(bench, &expected)?;
        section.add(TRAINYARD, MANY.0, first);
        section.add(TRAINYARD, MANY.1, all);
    }
    let one = section.median(TRAINYARD, FIRST_OF_ONE);
    let all = section.median(TRAINYARD, MANY.1);
    let goals = [
        one.map(|ms| Goal::at_most(format!("1 model: at most {MAX_ONE_MS} ms"), ms, MAX_ONE_MS)),
        all.map(|ms| Goal::at_most(format!("{models} models: all right within {MAX_ALL_MS} ms"), ms, MAX_ALL_MS)),
    ];
    section.goals.extend(goals.into_iter().flatten());
    Ok(section)
}

const MANY: (&str, &str) = ("many models: first right answer, ms", "many models: all answers right, ms");

/// The answers of a process that has loaded all models, which also fills its disk cache.
fn expected(bench: &Bench, models: &[String]) -> anyhow::Result<Vec<Expected>> {
    let rows = table::rows(2, 1);
    let running = bench.pool.start()?;
    let answers = models.iter().map(|model| {
        let request = request("POST", "/inference", bench.token(), &objects(&rows, model).to_string());
        let (status, body) =
            Connection::open(running.port)?.call(&request).map(|(status, body)| (status, body.to_vec()))?;
        ensure!(status == 200, "{model}: answered {status} with {}", String::from_utf8_lossy(&body));
        Ok(Expected { request, answer: body })
    });
    let expected = answers.collect();
    running.stop();
    expected
}

/// Starts a process. The milliseconds until the first answer is right, and until all are.
fn start(bench: &Bench, expected: &[Expected]) -> anyhow::Result<(f64, f64)> {
    let began = Instant::now();
    let running = bench.pool.launch()?;
    let measured = wait_right(&running, expected, began);
    running.stop();
    measured
}

fn wait_right(running: &Running, expected: &[Expected], began: Instant) -> anyhow::Result<(f64, f64)> {
    let elapsed_ms = || began.elapsed().as_secs_f64() * 1_000.0;
    let (mut connection, mut first) = (None, None);
    for Expected { request, answer: right } in expected {
        loop {
            if connection.is_none() {
                connection = Connection::open(running.port).ok();
            }
            let answer = connection.as_mut().map(|connection: &mut Connection| connection.call(request));
            match answer {
                Some(Ok((200, body))) => {
                    ensure!(body == right.as_slice(), "a wrong answer: {}", String::from_utf8_lossy(body));
                    break;
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => connection = None,
            }
            ensure!(began.elapsed() < LIMIT, "not answered within {LIMIT:?}");
            pause(STEP);
        }
        first.get_or_insert_with(elapsed_ms);
    }
    Ok((first.unwrap_or_default(), elapsed_ms()))
}
