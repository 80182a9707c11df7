//! The committed messages and descriptors are those of `proto/inference.proto`. With `GENERATE=1` the test writes them.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should say where")]

mod generate;

use std::path::Path;

#[test]
fn generated_files_are_up_to_date() {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, generated) in generate::generate(crate_folder) {
        let path = crate_folder.join("src/proto").join(name);
        if std::env::var_os("GENERATE").is_some() {
            std::fs::write(&path, &generated).unwrap();
        }
        let committed = std::fs::read(&path).unwrap();
        assert!(committed == generated, "{} is out of date: run `make generate`", path.display());
    }
}
