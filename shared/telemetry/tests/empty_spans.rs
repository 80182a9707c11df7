//! A span costs nothing while tracing is off, and in a trace that is not sampled.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::SystemTime;

use trainyard_telemetry::trace::{Endpoint, SpanKind, install};
use trainyard_telemetry::{Span, TraceConfig, TraceParent};
use trainyard_testkit::default_settings;

/// The system's allocator, which also counts the allocations of each thread.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is passed to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps the rules of `alloc`.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the rules of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The allocations of a span with everything that a span can have, and of its two child spans.
fn allocations(context: TraceParent, may_call: bool) -> u64 {
    let (before, earlier) = (ALLOCATIONS.get(), SystemTime::UNIX_EPOCH);
    let mut calls = 0;
    {
        let name = || {
            calls += 1;
            "name".to_owned()
        };
        let mut span = Span::begin(context, None, "span").kind(SpanKind::Server).named(name).started_at(earlier);
        span.describe(|span| {
            calls += 1;
            span.text("text", "value");
            span.number("number", 1);
        });
        span.link(context);
        span.fail("failed");
        drop(Span::child_of(Some(context), "child"));
        drop(Span::child_of(span.context(), "child"));
    }
    let allocations = ALLOCATIONS.get() - before;
    assert_eq!(calls, if may_call { 2 } else { 0 });
    allocations
}

#[test]
fn an_empty_span_allocates_nothing_and_calls_no_closure() {
    let sampled = TraceParent::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
    let unsampled = TraceParent::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00").unwrap();
    // Only a pointer, so there is no room for a timestamp.
    assert_eq!(size_of::<Span>(), size_of::<usize>());
    // The first span of a thread seeds its random numbers.
    allocations(sampled, false);
    assert_eq!(allocations(sampled, false), 0, "tracing is off");

    let endpoint = Endpoint::try_from("http://127.0.0.1:9".to_owned()).unwrap();
    install(&TraceConfig { endpoint, ..default_settings("traces") }, "test").unwrap();
    assert_eq!(allocations(unsampled, false), 0, "the trace is not sampled");
    assert!(allocations(sampled, true) > 0, "the allocator counts");
}
