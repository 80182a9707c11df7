//! `trainyard`: one binary with the roles of the server and the client commands.
//!
//! This crate is the only composition root: it reads the settings, connects the dependencies, passes them to the role
//! crates, and starts and stops the roles. It contains no business rules.

#![allow(unreachable_pub, reason = "a binary has no public API; `pub` marks items that other modules use")]

mod allocator;
mod checks;
mod cli;
mod client;
mod components;
mod config;
mod console;
mod data_dir;
mod documents;
mod healthcheck;
mod lifecycle;
mod migrations;
mod open_files;
mod roles;
mod startup_message;
mod wiring;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    cli::Cli::parse().run()
}
