//! The result of a scenario: thresholds of k6, finished jobs, and resource usage.

use crate::budgets::ProcessLimits;
use crate::growth::growth;
use crate::k6::Summary;
use crate::processes::{GENERATOR, Reading, Sample, TRAINING};

/// The result of a scenario, which passed if there are no failures.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) scenario: String,
    pub(crate) seconds: u64,
    pub(crate) summary: Summary,
    pub(crate) usages: Vec<Usage>,
    pub(crate) failures: Vec<String>,
}

/// The resource usage of a process during the load.
#[derive(Debug)]
pub(crate) struct Usage {
    pub(crate) name: String,
    /// Mean number of cores.
    pub(crate) cores: f64,
    pub(crate) memory_mb: Range,
    pub(crate) open_files: Range,
}

/// The summary of a series.
#[derive(Debug)]
pub(crate) struct Range {
    pub(crate) first: f64,
    pub(crate) last: f64,
    pub(crate) max: f64,
    /// Growth over the second half.
    pub(crate) growth: f64,
}

impl Outcome {
    /// Compares the results with the limits; `limits` are the limits on processes, if any.
    pub(crate) fn judge(
        scenario: &str,
        seconds: u64,
        summary: Summary,
        samples: &[Sample],
        limits: Option<ProcessLimits>,
    ) -> Self {
        let mut failures: Vec<_> = summary.missed.iter().map(|missed| format!("threshold {missed}")).collect();
        if summary.jobs_ended != summary.jobs_accepted {
            let (accepted, ended) = (summary.jobs_accepted, summary.jobs_ended);
            failures.push(format!("{accepted} jobs were accepted, {ended} have ended"));
        }
        let loaded = summary.loaded_at..summary.loaded_at + seconds as f64 * 1000.0;
        let during: Vec<_> = samples.iter().filter(|sample| loaded.contains(&sample.at_ms)).collect();
        let names = || samples.first().into_iter().flat_map(|sample| sample.readings.keys());
        let usages: Vec<_> = names().map(|name| Usage::of(name, &during)).collect();
        for usage in usages.iter().filter(|usage| ![TRAINING, GENERATOR].contains(&usage.name.as_str())) {
            if samples.last().is_none_or(|sample| !sample.readings.contains_key(&usage.name)) {
                failures.push(format!("{} has ended", usage.name));
            }
            failures.extend(limits.iter().flat_map(|limits| usage.excess(*limits)));
        }
        Self { scenario: scenario.to_owned(), seconds, summary, usages, failures }
    }
}

impl Usage {
    fn of(name: &str, samples: &[&Sample]) -> Self {
        let series = |pick: fn(&Reading) -> f64| -> Vec<_> {
            samples.iter().filter_map(|sample| Some((sample.at_ms, pick(sample.readings.get(name)?)))).collect()
        };
        let cpu = series(|reading| reading.cpu_s);
        let used =
            |(first, last): (&(f64, f64), &(f64, f64))| (last.1 - first.1) * 1000.0 / (last.0 - first.0).max(1.0);
        Self {
            name: name.to_owned(),
            cores: cpu.first().zip(cpu.last()).map_or(0.0, used),
            memory_mb: Range::of(&series(|reading| reading.memory_mb)),
            open_files: Range::of(&series(|reading| reading.open_files)),
        }
    }

    fn excess(&self, limits: ProcessLimits) -> Vec<String> {
        let over = |what, growth: f64, most: f64| {
            (growth > most).then(|| format!("{} gained {growth:.1} {what} over the second half, not {most}", self.name))
        };
        let memory = over("MB", self.memory_mb.growth, limits.memory_growth_mb);
        memory.into_iter().chain(over("open files", self.open_files.growth, limits.open_files_growth)).collect()
    }
}

impl Range {
    fn of(series: &[(f64, f64)]) -> Self {
        let value = |sample: Option<&(f64, f64)>| sample.map_or(0.0, |(_, value)| *value);
        Self {
            first: value(series.first()),
            last: value(series.last()),
            max: series.iter().map(|(_, value)| *value).fold(0.0, f64::max),
            growth: growth(&series[series.len() / 2..]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(jobs_accepted: u64, jobs_ended: u64) -> Summary {
        Summary { steps: Vec::new(), missed: Vec::new(), loaded_at: 0.0, jobs_accepted, jobs_ended }
    }

    /// A minute of samples: an API with the given memory, and a generator whose memory always grows.
    fn minute(memory_mb: impl Fn(u32) -> f64) -> Vec<Sample> {
        let reading = |i: u32, memory_mb| Reading { memory_mb, open_files: 9.0, cpu_s: f64::from(i) / 4.0 };
        let sample = |i: u32| {
            let api = ("api".to_owned(), reading(i, memory_mb(i)));
            let generator = (GENERATOR.to_owned(), reading(i, f64::from(i)));
            Sample { at_ms: f64::from(i) * 1000.0, readings: [api, generator].into() }
        };
        (0..60).map(sample).collect()
    }

    fn failures(summary: Summary, samples: &[Sample]) -> Vec<String> {
        let limits = ProcessLimits { memory_growth_mb: 5.0, open_files_growth: 5.0 };
        Outcome::judge("soak", 60, summary, samples, Some(limits)).failures
    }

    #[test]
    fn an_accepted_job_that_did_not_finish_fails_the_run() {
        assert_eq!(failures(summary(3, 2), &minute(|_| 50.0)), ["3 jobs were accepted, 2 have ended"]);
    }

    #[test]
    fn memory_growth_in_the_second_half_fails_the_run() {
        let leak = failures(summary(0, 0), &minute(|i| 50.0 + f64::from(i)));
        assert_eq!(leak, ["api gained 29.0 MB over the second half, not 5"]);
        assert!(failures(summary(0, 0), &minute(|i| 50.0 + f64::from(i.min(20)))).is_empty());
    }

    #[test]
    fn an_ended_process_fails_the_run() {
        let mut samples = minute(|_| 50.0);
        samples[59].readings.clear();
        assert_eq!(failures(summary(0, 0), &samples), ["api has ended"]);
    }

    #[test]
    fn cpu_usage_is_reported_in_cores() {
        let outcome = Outcome::judge("soak", 60, summary(0, 0), &minute(|_| 50.0), None);
        assert!((outcome.usages[0].cores - 0.25).abs() < 0.001, "{outcome:?}");
    }
}
