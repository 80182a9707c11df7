//! Profiles a file and prints seconds, megabytes per second and the columns: `cargo run --release -p trainyard-csv --example
//! profile_file -- FILE`.

use std::fs::File;
use std::time::Instant;

use trainyard_csv::{Limits, ReadOptions, profile};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: profile_file FILE")?;
    let start = Instant::now();
    let profile = profile(File::open(&path)?, &ReadOptions::default(), &Limits::default())?;
    let seconds = start.elapsed().as_secs_f64();
    #[allow(clippy::print_stdout, reason = "a program for the terminal")]
    {
        #[allow(clippy::cast_precision_loss, reason = "a measure")]
        let megabytes = profile.bytes as f64 / 1e6;
        println!("{} rows, {megabytes:.1} MB, {seconds:.3} s, {:.0} MB/s", profile.rows, megabytes / seconds);
        println!(
            "{:?}, {} duplicate rows, target {:?}",
            profile.format, profile.duplicate_rows, profile.suggested_target
        );
        for column in &profile.columns {
            println!("{}: {:?}, {} missing, {} distinct", column.name, column.dtype, column.missing, column.distinct);
        }
        for warning in &profile.warnings {
            println!("{warning}");
        }
    }
    Ok(())
}
