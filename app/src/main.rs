//! `trainyard`: one binary, the server's roles and the client's verbs.
//!
//! This crate is the only composition root: it reads the settings, opens the ports, hands them to the role crates and
//! sees to it that they start and stop in order. It holds no rule of its own.

#![allow(unreachable_pub, reason = "a binary has no outside; `pub` marks what its other modules use")]

mod checks;
mod cli;
mod client;
mod config;
mod data_dir;
mod documents;
mod healthcheck;
mod lifecycle;
mod migrations;
mod open_files;
mod parts;
mod roles;
mod welcome;
mod wiring;

use std::process::ExitCode;

use clap::Parser;

/// A fifth of an API process' time goes into its many small allocations with the C library's allocator.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    cli::Cli::parse().run()
}
