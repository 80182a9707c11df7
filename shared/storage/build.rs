//! Rebuilds this crate when a migration is added: the folder is embedded by a macro that cargo can't see through.
#![allow(clippy::print_stdout, reason = "this is how a build script talks to cargo")]

fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
}
