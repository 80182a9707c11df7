//! Tests of timetables.

use super::*;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn table(cron: &str, zone: &str) -> Timetable {
    Timetable::parse(cron, zone, at("2026-01-01T00:00:00Z")).unwrap()
}

fn refused(cron: &str, zone: &str) -> Vec<String> {
    let errors = Timetable::parse(cron, zone, at("2026-01-01T00:00:00Z")).unwrap_err();
    errors.into_iter().map(|error| error.field).collect()
}

fn upcoming(cron: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let times = table(cron, zone).upcoming(at(after), count);
    times.into_iter().map(|time| time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)).collect()
}

#[test]
fn due_times_follow_the_time_zone() {
    assert_eq!(
        upcoming("30 2 * * *", "Europe/Berlin", "2026-01-01T00:00:00.000001Z", 2),
        ["2026-01-01T01:30:00Z", "2026-01-02T01:30:00Z"]
    );
    assert_eq!(upcoming("@daily", "America/New_York", "2026-07-01T00:00:00Z", 1), ["2026-07-01T04:00:00Z"]);
    assert_eq!(upcoming("0 9 * * MON-FRI", "UTC", "2026-01-02T09:00:00Z", 1), ["2026-01-05T09:00:00Z"]);
    assert_eq!(upcoming("*/20 * * * * *", "UTC", "2026-01-01T00:00:01.5Z", 1), ["2026-01-01T00:00:20Z"]);
}

#[test]
fn a_time_that_does_not_exist_is_due_after_the_gap() {
    // On 29 March 2026 Berlin's clocks go from 02:00 to 03:00, which is 01:00 UTC.
    assert_eq!(
        upcoming("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 2),
        ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]
    );
}

#[test]
fn a_time_that_exists_twice_is_due_once() {
    // On 25 October 2026 Berlin's clocks go from 03:00 back to 02:00: 02:30 is 00:30 UTC and 01:30 UTC.
    assert_eq!(
        upcoming("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2),
        ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
    );
}

#[test]
fn an_hourly_schedule_is_due_every_hour_of_days_with_23_and_25_hours() {
    let hours = |day: &str| upcoming("0 * * * *", "Europe/Berlin", day, 4);
    assert_eq!(
        hours("2026-10-24T23:30:00Z"),
        ["2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z", "2026-10-25T03:00:00Z"]
    );
    assert_eq!(
        hours("2026-03-28T23:30:00Z"),
        ["2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z", "2026-03-29T03:00:00Z"]
    );
}

#[test]
fn invalid_and_impossible_expressions_are_refused() {
    for cron in ["", "* * * *", "60 * * * *", "0 0 31 2 *", "* * * * * * 2026", "@now", "every day", "0 0 ☃ * *"] {
        assert_eq!(refused(cron, "UTC"), ["cron"], "{cron}");
    }
    assert_eq!(refused(&"*,".repeat(500), "UTC"), ["cron"]);
    assert_eq!(refused("@daily", "Mars/Olympus"), ["timezone"]);
    assert_eq!(refused("nope", "nope"), ["cron", "timezone"]);
    assert!(Timetable::parse("0 0 29 2 *", "UTC", at("2026-01-01T00:00:00Z")).is_ok(), "a leap day comes");
}

#[test]
fn the_catch_up_policy_decides_about_missed_times() {
    let hourly = table("0 * * * *", "UTC");
    let (first, now) = (at("2026-01-01T01:00:00Z"), at("2026-01-01T03:00:05Z"));
    let hour = |hour: i64| at("2026-01-01T00:00:00Z") + Duration::hours(hour);
    let plan = |catch_up, late| hourly.plan(first, now, catch_up, Duration::seconds(late));
    let next = Some(hour(4));
    let latest = Plan { fire: vec![hour(3)], missed: vec![hour(1), hour(2)], next };
    assert_eq!(plan(CatchUp::One, 1), latest);
    assert_eq!(plan(CatchUp::Skip, 60), latest, "the latest is on time");
    assert_eq!(plan(CatchUp::Skip, 1), Plan { fire: vec![], missed: vec![hour(1), hour(2), hour(3)], next });
    assert_eq!(plan(CatchUp::All, 1), Plan { fire: vec![hour(1), hour(2), hour(3)], missed: vec![], next });
}

#[test]
fn a_time_that_is_due_now_fires_once() {
    let hourly = table("0 * * * *", "UTC");
    let (first, one) = (at("2026-01-01T01:00:00Z"), Duration::seconds(1));
    let plan = hourly.plan(first, first, CatchUp::Skip, one);
    assert_eq!(plan, Plan { fire: vec![first], missed: vec![], next: Some(at("2026-01-01T02:00:00Z")) });
    let early = hourly.plan(first, first - one, CatchUp::All, one);
    assert_eq!(early, Plan { fire: vec![], missed: vec![], next: Some(first) });
}

#[test]
fn after_a_long_downtime_the_latest_hundred_times_are_planned() {
    let (first, now) = (at("2025-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z"));
    let plan = table("* * * * * *", "Europe/Berlin").plan(first, now, CatchUp::All, Duration::seconds(1));
    assert_eq!(plan.fire.len(), MAX_DUE);
    assert_eq!((plan.fire[0], plan.fire[99]), (now - Duration::seconds(99), now));
    let some = table("* * * * *", "UTC").plan(first, first + Duration::minutes(150), CatchUp::All, Duration::zero());
    assert_eq!((some.fire.len(), some.fire[0]), (MAX_DUE, first + Duration::minutes(51)));
}
