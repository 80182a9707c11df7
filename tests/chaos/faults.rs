//! Faults: their kinds, how they start, and how they end.

use std::fmt;
use std::time::{Duration, Instant};

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use trainyard_testkit::{NetworkState, sleep_blocking};

use crate::rig::{LEASE, Rig};

/// The kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    WorkerKilled,
    WorkerPaused,
    WorkerTerminated,
    ApiKilled,
    ApiTerminated,
    ChildKilled,
    RedisRestarted,
    RedisRestartedEmpty,
    RedisFlushed,
    RedisPaused,
    RedisRefused,
    RedisSilent,
    RedisFedJunk,
    PostgresCrashed,
    PostgresPaused,
    PostgresRefused,
    PostgresSilent,
    StoreRefused,
    StoreSlow,
    StoreTruncated,
    StoreFails,
    CoresBusy,
}

const ALL: [Kind; 22] = [
    Kind::WorkerKilled,
    Kind::WorkerPaused,
    Kind::WorkerTerminated,
    Kind::ApiKilled,
    Kind::ApiTerminated,
    Kind::ChildKilled,
    Kind::RedisRestarted,
    Kind::RedisRestartedEmpty,
    Kind::RedisFlushed,
    Kind::RedisPaused,
    Kind::RedisRefused,
    Kind::RedisSilent,
    Kind::RedisFedJunk,
    Kind::PostgresCrashed,
    Kind::PostgresPaused,
    Kind::PostgresRefused,
    Kind::PostgresSilent,
    Kind::StoreRefused,
    Kind::StoreSlow,
    Kind::StoreTruncated,
    Kind::StoreFails,
    Kind::CoresBusy,
];

/// A planned fault.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    pub kind: Kind,
    /// The affected process, for faults of a process.
    role: usize,
    /// Duration of the fault.
    pub lasts: Duration,
    /// Bytes until a response is cut, or its delay in milliseconds.
    amount: usize,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (role, amount, seconds) = (self.role, self.amount, self.lasts.as_secs_f64());
        let ms = self.lasts.as_millis();
        match self.kind {
            Kind::WorkerKilled => write!(f, "worker (process {role}) killed -9, started again after {seconds:.1} s"),
            Kind::WorkerPaused => write!(f, "worker (process {role}) stopped (SIGSTOP) for {seconds:.1} s"),
            Kind::WorkerTerminated => write!(f, "worker (process {role}) drained (SIGTERM) and started again"),
            Kind::ApiKilled => write!(f, "API (process {role}) killed -9, started again after {seconds:.1} s"),
            Kind::ApiTerminated => write!(f, "API (process {role}) stopped (SIGTERM) and started again"),
            Kind::ChildKilled => write!(f, "a training process of a worker (process {role}) killed -9"),
            Kind::RedisRestarted => write!(f, "Redis killed -9, back after {seconds:.1} s with its data"),
            Kind::RedisRestartedEmpty => write!(f, "Redis killed -9, back after {seconds:.1} s without its data"),
            Kind::RedisFlushed => write!(f, "Redis flushed (FLUSHALL)"),
            Kind::RedisPaused => write!(f, "Redis stopped (SIGSTOP) for {seconds:.1} s"),
            Kind::RedisRefused => write!(f, "Redis cut off for {seconds:.1} s: connections refused"),
            Kind::RedisSilent => write!(f, "Redis cut off for {seconds:.1} s: no byte passes"),
            Kind::RedisFedJunk => write!(f, "undecodable, ancient and duplicate ids in the streams"),
            Kind::PostgresCrashed => write!(f, "Postgres crashed, recovered after {seconds:.1} s"),
            Kind::PostgresPaused => write!(f, "Postgres stopped (SIGSTOP) for {seconds:.1} s"),
            Kind::PostgresRefused => write!(f, "Postgres cut off for {seconds:.1} s: connections refused"),
            Kind::PostgresSilent => write!(f, "Postgres cut off for {seconds:.1} s: no byte passes"),
            Kind::StoreRefused => write!(f, "object store cut off for {seconds:.1} s: connections refused"),
            Kind::StoreSlow => write!(f, "object store {amount} ms late with each piece for {seconds:.1} s"),
            Kind::StoreTruncated => write!(f, "object store's answers end after {amount} bytes for {seconds:.1} s"),
            Kind::StoreFails => write!(f, "object store answers 500 for {ms} ms"),
            Kind::CoresBusy => write!(f, "every core spinning for {seconds:.1} s"),
        }
    }
}

impl Kind {
    /// Shortest and longest duration, in seconds. Object store requests are retried for ten seconds; a pause is longer
    /// than a lease.
    fn seconds(self) -> (f64, f64) {
        match self {
            Self::WorkerTerminated
            | Self::ApiTerminated
            | Self::ChildKilled
            | Self::RedisFlushed
            | Self::RedisFedJunk => (0.0, 0.0),
            Self::WorkerPaused => (LEASE.as_secs_f64() + 0.5, LEASE.as_secs_f64() * 2.0),
            Self::CoresBusy => (LEASE.as_secs_f64(), LEASE.as_secs_f64() * 2.0),
            Self::WorkerKilled | Self::ApiKilled | Self::RedisRestarted | Self::RedisRestartedEmpty => (0.1, 2.0),
            Self::RedisPaused
            | Self::RedisRefused
            | Self::RedisSilent
            | Self::PostgresCrashed
            | Self::PostgresPaused
            | Self::PostgresRefused
            | Self::PostgresSilent
            | Self::StoreRefused
            | Self::StoreSlow
            | Self::StoreTruncated
            | Self::StoreFails => (0.5, 4.0),
        }
    }

    /// Whether another fault may overlap; not while the test waits for a process.
    fn is_short(self) -> bool {
        matches!(self, Self::WorkerTerminated | Self::ApiTerminated)
    }

    /// The affected component. Overlapping faults affect two different components.
    fn area(self) -> u8 {
        match self {
            Self::WorkerKilled
            | Self::WorkerPaused
            | Self::WorkerTerminated
            | Self::ApiKilled
            | Self::ApiTerminated
            | Self::ChildKilled => 0,
            Self::RedisRestarted
            | Self::RedisRestartedEmpty
            | Self::RedisFlushed
            | Self::RedisPaused
            | Self::RedisRefused
            | Self::RedisSilent
            | Self::RedisFedJunk => 1,
            Self::PostgresCrashed | Self::PostgresPaused | Self::PostgresRefused | Self::PostgresSilent => 2,
            Self::StoreRefused | Self::StoreSlow | Self::StoreTruncated | Self::StoreFails => 3,
            Self::CoresBusy => 4,
        }
    }
}

impl Fault {
    /// `count` faults in random order: all kinds before any kind repeats, and some pairs that overlap.
    pub fn draw(rng: &mut StdRng, rig: &Rig, count: usize) -> Vec<Vec<Self>> {
        let mut kinds = Vec::new();
        while kinds.len() < count {
            let mut deck = ALL.to_vec();
            deck.shuffle(rng);
            kinds.extend(deck);
        }
        kinds.truncate(count);
        let mut steps: Vec<Vec<Self>> = Vec::new();
        for kind in kinds {
            let fault = Self::of(rng, rig, kind);
            let alone =
                |step: &Vec<Self>| step.len() > 1 || step[0].kind.is_short() || step[0].kind.area() == kind.area();
            let joins = !kind.is_short() && rng.random_bool(0.25);
            match steps.last_mut().filter(|step| joins && !alone(step)) {
                Some(step) => step.push(fault),
                None => steps.push(vec![fault]),
            }
        }
        steps
    }

    fn of(rng: &mut StdRng, rig: &Rig, kind: Kind) -> Self {
        let (from, to) = kind.seconds();
        let roles =
            rig.system.roles(if matches!(kind, Kind::ApiKilled | Kind::ApiTerminated) { "api" } else { "worker" });
        Self {
            kind,
            role: *roles.choose(rng).unwrap(),
            lasts: Duration::from_secs_f64(rng.random_range(from..=to)),
            amount: match kind {
                Kind::StoreTruncated => rng.random_range(1..3_000),
                _ => rng.random_range(20..300),
            },
        }
    }

    /// Starts the fault. `accepted` has job ids that are enqueued a second time.
    pub fn begin(&mut self, rig: &mut Rig, accepted: &[String]) {
        if matches!(self.kind, Kind::WorkerKilled | Kind::WorkerPaused | Kind::ChildKilled) {
            self.role = busy_worker(rig).unwrap_or(self.role);
        }
        let (role, amount) = (self.role, self.amount);
        match self.kind {
            Kind::WorkerKilled | Kind::ApiKilled => rig.system.kill(role),
            Kind::WorkerPaused => rig.system.signal(role, libc::SIGSTOP),
            Kind::WorkerTerminated | Kind::ApiTerminated => {
                rig.system.terminate(role);
            }
            Kind::ChildKilled => {
                rig.kill_child(role);
            }
            Kind::RedisRestarted | Kind::RedisRestartedEmpty => rig.redis.kill(),
            Kind::RedisFlushed => {
                rig.redis.cli(&["FLUSHALL"]);
            }
            Kind::RedisPaused => rig.redis.signal(libc::SIGSTOP),
            Kind::RedisRefused => rig.to_redis.set(NetworkState::Refused),
            Kind::RedisSilent => rig.to_redis.set(NetworkState::Silent),
            Kind::RedisFedJunk => add_invalid_entries(rig, accepted),
            Kind::PostgresCrashed => rig.postgres.kill(),
            Kind::PostgresPaused => rig.postgres.signal_all(libc::SIGSTOP),
            Kind::PostgresRefused => rig.to_postgres.set(NetworkState::Refused),
            Kind::PostgresSilent => rig.to_postgres.set(NetworkState::Silent),
            Kind::StoreRefused => rig.to_store.set(NetworkState::Refused),
            Kind::StoreSlow => {
                rig.to_store.set(NetworkState::Slow(Duration::from_millis(u64::try_from(amount).unwrap())))
            }
            Kind::StoreTruncated => rig.to_store.set(NetworkState::Truncated(amount)),
            Kind::StoreFails => rig.store.set_broken(true),
            Kind::CoresBusy => spin_every_core(self.lasts),
        }
    }

    /// Ends the fault.
    pub fn end(&self, rig: &mut Rig) {
        match self.kind {
            Kind::WorkerKilled | Kind::ApiKilled | Kind::WorkerTerminated | Kind::ApiTerminated => {
                rig.system.resume(self.role);
            }
            Kind::WorkerPaused => rig.system.signal(self.role, libc::SIGCONT),
            Kind::RedisRestarted => rig.redis.resume(),
            Kind::RedisRestartedEmpty => rig.redis.resume_empty(),
            Kind::RedisPaused => rig.redis.signal(libc::SIGCONT),
            Kind::PostgresCrashed => rig.postgres.resume(),
            Kind::PostgresPaused => rig.postgres.signal_all(libc::SIGCONT),
            Kind::RedisRefused | Kind::RedisSilent => rig.to_redis.set(NetworkState::Healthy),
            Kind::PostgresRefused | Kind::PostgresSilent => rig.to_postgres.set(NetworkState::Healthy),
            Kind::StoreRefused | Kind::StoreSlow | Kind::StoreTruncated => rig.to_store.set(NetworkState::Healthy),
            Kind::StoreFails => rig.store.set_broken(false),
            Kind::ChildKilled | Kind::RedisFlushed | Kind::RedisFedJunk | Kind::CoresBusy => {}
        }
    }
}

/// Waits for a worker with a running training process: a fault of an idle worker has no effect.
fn busy_worker(rig: &Rig) -> Option<usize> {
    let until = Instant::now() + Duration::from_secs(3);
    loop {
        let busy = rig.system.workers().into_iter().find(|&worker| !rig.children(worker).is_empty());
        if busy.is_some() || Instant::now() > until {
            return busy;
        }
        sleep_blocking(Duration::from_millis(10));
    }
}

/// Computes on twice as many threads as there are cores, for the given time.
pub fn spin_every_core(lasts: Duration) {
    let until = Instant::now() + lasts;
    for _ in 0..2 * std::thread::available_parallelism().map_or(2, usize::from) {
        std::thread::spawn(move || while Instant::now() < until {});
    }
}

/// Adds invalid entries, entries of unknown jobs, and entries of jobs that are queued or finished already.
pub fn add_invalid_entries(rig: &Rig, accepted: &[String]) {
    let stream = |class: &str| format!("{{{}}}:jobs:{class}", rig.prefix);
    rig.redis.cli(&["XADD", &stream("normal"), "*", "colour", "green"]);
    rig.redis.cli(&["XADD", &stream("high"), "*", "job", "not an id"]);
    // A well-formed id from 2020.
    rig.redis.cli(&["XADD", &stream("low"), "*", "job", "01750000-0000-7000-8000-000000000001"]);
    for id in accepted.iter().rev().take(5).chain(accepted.first()) {
        rig.redis.cli(&["XADD", &stream("normal"), "*", "job", id]);
    }
}
