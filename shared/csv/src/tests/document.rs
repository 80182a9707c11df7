//! The examples of `docs/datasets.md`: each file has the warnings that the document lists.

use trainyard_domain::{Delimiter, Dtype, Header};

use super::read_with;
use crate::ReadOptions;

const DOCUMENT: &str = include_str!("../../../../docs/datasets.md");

/// An upload in the document.
struct Example {
    file: Vec<u8>,
    command: String,
    warnings: Vec<String>,
}

fn section(title: &str) -> &'static str {
    let (_, after) = DOCUMENT.split_once(&format!("\n## {title}\n")).unwrap();
    after.split("\n## ").next().unwrap()
}

/// The uploads, in order. A file without a command is uploaded without options.
fn examples() -> Vec<Example> {
    let (mut examples, mut lines): (Vec<Example>, _) = (Vec::new(), section("Examples of warnings").lines());
    while let Some(line) = lines.next() {
        if let Some(kind) = line.strip_prefix("```") {
            let block: String =
                lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
            let (file, command) = match kind {
                "bash" => (examples.last().unwrap().file.clone(), block),
                "csv" => (expanded(&block).into_bytes(), String::new()),
                // Latin-1 has the same bytes for these letters.
                "csv windows-1252" => (block.chars().map(|c| u8::try_from(c).unwrap()).collect(), String::new()),
                other => panic!("unknown block {other}"),
            };
            examples.push(Example { file, command, warnings: Vec::new() });
        } else if let Some(warning) = line.strip_prefix("> ").filter(|warning| *warning != "no warning") {
            examples.last_mut().unwrap().warnings.push(warning.to_owned());
        }
    }
    examples
}

/// The file with the rows that `{first..last..step}` stands for. Several braces of a line advance together.
fn expanded(file: &str) -> String {
    let mut rows = String::new();
    for line in file.lines() {
        let parts: Vec<&str> = line.split(['{', '}']).collect();
        let ranges: Vec<Vec<u32>> = parts.iter().skip(1).step_by(2).map(|range| numbers(range)).collect();
        for at in 0..ranges.first().map_or(1, Vec::len) {
            let mut ranges = ranges.iter();
            for (position, part) in parts.iter().enumerate() {
                match position % 2 {
                    0 => rows.push_str(part),
                    _ => rows.push_str(&ranges.next().unwrap()[at].to_string()),
                }
            }
            rows.push('\n');
        }
    }
    rows
}

fn numbers(range: &str) -> Vec<u32> {
    let bounds: Vec<u32> = range.split("..").map(|bound| bound.parse().unwrap()).collect();
    (bounds[0]..=bounds[1]).step_by(bounds.get(2).map_or(1, |step| *step as usize)).collect()
}

/// The options of `trainyard datasets upload`.
fn options(command: &str) -> ReadOptions {
    let mut options = ReadOptions::default();
    let mut words = command.split_whitespace().skip_while(|word| !word.starts_with("--"));
    while let Some(flag) = words.next() {
        let value = words.next().unwrap();
        match flag {
            "--encoding" => options.encoding = Some(value.to_owned()),
            "--delimiter" => {
                options.delimiter = Delimiter::ALL.into_iter().find(|one| [one.byte()] == *value.as_bytes())
            }
            "--header" => options.header = Some(if value == "absent" { Header::Absent } else { Header::Present }),
            "--missing" => options.missing.push(value.to_owned()),
            "--type" => {
                let (name, dtype) = value.split_once('=').unwrap();
                options.types.insert(name.to_owned(), Dtype::parse(dtype).unwrap());
            }
            other => panic!("unknown option {other}"),
        }
    }
    options
}

#[test]
fn every_example_of_the_document_has_its_warnings() {
    let examples = examples();
    assert!(examples.len() > 30, "{} examples", examples.len());
    for Example { file, command, warnings } in examples {
        let profile = read_with(&file, &options(&command)).unwrap();
        assert_eq!(profile.warnings, warnings, "{command}{}", String::from_utf8_lossy(&file));
    }
}

#[test]
fn every_warning_of_the_table_has_an_example() {
    let warnings: Vec<String> = examples().into_iter().flat_map(|example| example.warnings).collect();
    let rows = section("Warnings").lines().filter(|line| line.starts_with("| `"));
    let texts: Vec<&str> =
        rows.flat_map(|row| row.split(" | ").next().unwrap().split('`').skip(1).step_by(2)).collect();
    assert!(texts.len() > 20, "{texts:?}");
    for text in texts {
        let parts =
            || text.split('…').flat_map(|part| part.split("'x'")).map(str::trim).filter(|part| !part.is_empty());
        let has_example = warnings.iter().any(|warning| parts().all(|part| warning.contains(part)));
        assert!(has_example, "no example of {text}");
    }
}
