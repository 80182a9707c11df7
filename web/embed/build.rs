//! Lists the files of the built console, `web/dist`, as constants. Without a build the list is empty.

#![allow(clippy::unwrap_used, reason = "a failed build script stops the build")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    let dist = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../dist");
    // The folder always exists, because git tracks a file in it. Cargo would rebuild each time without it.
    println!("cargo:rerun-if-changed={}", dist.display());
    let mut files = BTreeMap::new();
    collect(&dist, &dist, &mut files);
    let mut code = String::from("&[\n");
    // A folder without a page is no console.
    let complete = files.contains_key("index.html");
    for (name, path) in &files {
        let is_copy = [".br", ".gz"].iter().any(|end| name.strip_suffix(end).is_some_and(|of| files.contains_key(of)));
        if is_copy || !complete {
            continue;
        }
        let copy = |end: &str| match files.get(&format!("{name}{end}")) {
            Some(path) => format!("Some(include_bytes!({path:?}))"),
            None => "None".to_owned(),
        };
        writeln!(
            code,
            "File {{ name: {name:?}, etag: {:?}, plain: include_bytes!({path:?}), brotli: {}, gzip: {} }},",
            etag(&fs::read(path).unwrap()),
            copy(".br"),
            copy(".gz")
        )
        .unwrap();
    }
    code.push(']');
    let out = PathBuf::from(std::env::var("OUT_DIR").unwrap()).join("files.rs");
    fs::write(out, code).unwrap();
}

fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<String, PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
        if path.is_dir() {
            println!("cargo:rerun-if-changed={}", path.display());
            collect(root, &path, files);
        } else if name != ".gitignore" {
            files.insert(name, path.canonicalize().unwrap());
        }
    }
}

/// A strong entity tag: length and FNV-1a hash of the bytes.
fn etag(bytes: &[u8]) -> String {
    let fold = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325, fold);
    format!("\"{:x}-{hash:016x}\"", bytes.len())
}
