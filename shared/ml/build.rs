//! Computes a digest of the code that decides the bytes of a model. A checkpoint of other code is not resumed, although the
//! version of the crate is the same.

#![allow(clippy::print_stdout, reason = "this is how a build script talks to cargo")]

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The sources of this crate and of the crates that it trains with, and the versions of all dependencies.
const INPUTS: [&str; 4] = ["src", "../csv/src", "../domain/src", "../../Cargo.lock"];

fn main() -> io::Result<()> {
    let mut digest = DefaultHasher::new();
    for input in INPUTS {
        println!("cargo:rerun-if-changed={input}");
        add(Path::new(input), &mut digest)?;
    }
    // Another compiler may order floating-point operations of the standard library differently.
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    Command::new(compiler).arg("--version").output()?.stdout.hash(&mut digest);
    println!("cargo:rustc-env=TRAINING_CODE_DIGEST={:016x}", digest.finish());
    Ok(())
}

/// Adds a file, or all files of a folder in the order of their names.
fn add(path: &Path, digest: &mut DefaultHasher) -> io::Result<()> {
    if !path.is_dir() {
        path.hash(digest);
        fs::read(path)?.hash(digest);
        return Ok(());
    }
    let mut entries = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<PathBuf>>>()?;
    entries.sort();
    entries.iter().try_for_each(|entry| add(entry, digest))
}
