//! Benchmarks beside other systems, on one machine: `make bench-queue` and `make bench-inference`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool")]

mod constant_route;
mod http;
mod inference;
mod job_counter;
mod load;
mod machine;
mod measure;
mod peers;
mod process;
mod queue;
mod report;
mod route_only;
mod servers;
mod stats;
mod trainyard;
mod usage;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Measure Trainyard beside other systems.
#[derive(Debug, Parser)]
#[command(name = "trainyard-bench")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The queue beside other queues.
    Queue(queue::Arguments),
    /// The inference role beside other model servers.
    Inference(inference::Arguments),
    /// Serves `POST /training` without database and queue; the benchmark of the queue starts it.
    #[command(hide = true)]
    RouteOnly(Port),
    /// Serves `POST /inference` with a constant answer; the benchmark of the inference role starts it.
    #[command(hide = true)]
    ConstantRoute(Port),
}

#[derive(Debug, clap::Args)]
struct Port {
    /// The port to listen on.
    #[arg(long)]
    port: u16,
}

/// The allocator of `trainyard`, so that routes without a server behind them are compared on equal terms.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<ExitCode> {
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match Cli::parse().command {
        Command::Queue(arguments) => queue::run(arguments),
        Command::Inference(arguments) => inference::run(&arguments),
        Command::RouteOnly(Port { port }) => runtime()?.block_on(route_only::serve(port)).map(|()| ExitCode::SUCCESS),
        Command::ConstantRoute(Port { port }) => {
            runtime()?.block_on(constant_route::serve(port)).map(|()| ExitCode::SUCCESS)
        }
    }
}
