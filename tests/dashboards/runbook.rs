//! Checks that the commands and routes in the runbook exist.

use std::process::Command;

use serde_json::Value;

use crate::boards::read;

/// The runbook's commands that begin with `trainyard`, each up to its end.
fn commands(runbook: &str) -> Vec<&str> {
    let starts =
        runbook.match_indices("trainyard ").filter(|(at, _)| matches!(runbook.as_bytes()[at - 1], b'`' | b' '));
    // In prose the name is capitalised.
    starts.map(|(at, word)| runbook[at + word.len()..].split(['`', '\n', ',']).next().unwrap()).collect()
}

#[test]
fn every_command_and_flag_of_the_runbook_exists() {
    let runbook = read("docs/runbook.md");
    let commands = commands(&runbook);
    assert!(commands.len() > 20, "{commands:?}");
    for command in commands {
        let is_verb = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase());
        let verbs: Vec<_> = command.split_whitespace().take_while(is_verb).collect();
        let output = Command::new(env!("CARGO_BIN_EXE_trainyard")).args(&verbs).arg("--help").output().unwrap();
        assert!(output.status.success(), "trainyard {command}: {}", String::from_utf8_lossy(&output.stderr));
        let help = String::from_utf8(output.stdout).unwrap();
        for flag in command.split_whitespace().filter(|word| word.starts_with("--")) {
            assert!(help.contains(flag), "trainyard {command}: no {flag} in\n{help}");
        }
    }
}

#[test]
fn every_url_of_the_runbook_exists() {
    let openapi: Value = serde_json::from_str(&read("docs/openapi.json")).unwrap();
    let runbook = read("docs/runbook.md");
    let asked = runbook.split("$TRAINYARD_URL/").skip(1);
    let asked: Vec<_> = asked.map(|rest| rest.split(['"', ' ', '?', '`', '\n']).next().unwrap()).collect();
    assert!(asked.len() > 5, "{asked:?}");
    for path in asked {
        let fits = |template: &str| {
            let (parts, ours) = (template.trim_start_matches('/').split('/'), path.split('/'));
            let same = |(part, our): (&str, &str)| part == our || part.starts_with('{');
            parts.clone().count() == ours.clone().count() && parts.zip(ours).all(same)
        };
        assert!(openapi["paths"].as_object().unwrap().keys().any(|template| fits(template)), "no /{path}");
    }
}
