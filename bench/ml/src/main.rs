//! `make bench-ml`: trains one model with our own engines and prints the seconds and the memory as JSON. `bench/ml.py`
//! starts one process per measurement, as for the other libraries.

mod matrix;
mod measure;
mod table;

use clap::{Parser, Subcommand};

/// Trains one model.
#[derive(Debug, Parser)]
struct Arguments {
    /// Number of threads.
    #[arg(long)]
    threads: usize,
    #[command(subcommand)]
    input: Input,
}

#[derive(Debug, Subcommand)]
enum Input {
    /// An engine alone, on a matrix of numbers.
    Matrix(matrix::MatrixArguments),
    /// A job, from a CSV to a model file.
    Table(table::TableArguments),
}

/// The allocator of `trainyard`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    rayon::ThreadPoolBuilder::new().num_threads(arguments.threads).build_global()?;
    let answer = match arguments.input {
        Input::Matrix(arguments) => matrix::run(&arguments)?,
        Input::Table(arguments) => table::run(&arguments)?,
    };
    write_line(&answer.to_string())
}

fn write_line(text: &str) -> anyhow::Result<()> {
    use std::io::Write;
    writeln!(std::io::stdout(), "{text}")?;
    Ok(())
}
