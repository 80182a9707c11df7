//! The client commands, as shown in the README.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use trainyard_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, Client, System, eventually, unique};

use crate::support::{later_job, on_both_stacks, quick_job};

on_both_stacks!(
    the_tour_ends_with_a_prediction,
    the_job_log_is_readable_during_and_after_the_run,
    a_watched_search_prints_its_trials,
    output_for_scripts_is_only_json,
    an_upload_shows_how_the_file_is_read,
    exit_codes_distinguish_errors,
    accounts_are_invited_changed_and_deleted,
    an_api_key_replaces_the_login,
    jobs_are_searched_cancelled_and_retried_together,
    traffic_is_distributed_and_an_alias_rolled_back,
    a_model_is_exported_to_a_file,
);

/// A terminal of one user, with its own home directory.
struct Terminal {
    home: TempDir,
    client: Client,
}

impl Terminal {
    fn new(system: &System) -> Self {
        Self { home: tempfile::tempdir().unwrap(), client: system.client() }
    }

    fn run(&self, line: &str) -> Output {
        self.command(line).output().unwrap()
    }

    /// The same with these lines on standard input, and with the stored session.
    fn types(&self, line: &str, input: &str) -> Output {
        let mut command = self.command(line);
        command.env_remove("TRAINYARD_EMAIL").env_remove("TRAINYARD_PASSWORD");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(crate::support::BINARY);
        command.env_clear().env("HOME", self.home.path()).env("TRAINYARD_URL", self.client.api_url());
        command.env("TRAINYARD_INFERENCE_URL", self.client.inference_url());
        command.env("TRAINYARD_EMAIL", ADMIN_EMAIL).env("TRAINYARD_PASSWORD", ADMIN_PASSWORD);
        command.args(line.split_whitespace());
        command
    }

    fn succeeds(&self, line: &str) -> String {
        let output = self.run(line);
        assert!(output.status.success(), "{line}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn fails(&self, line: &str, code: i32) -> String {
        let output = self.run(line);
        assert_eq!(output.status.code(), Some(code), "{line}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}

async fn the_tour_ends_with_a_prediction(system: &System) {
    let (terminal, name) = (Terminal::new(system), unique("tour"));
    terminal.succeeds("login");
    let train = "train --dataset titanic --algorithm random_forest --features sex,age,pclass --watch --name";
    let watched = terminal.succeeds(&format!("{train} {name}"));
    assert!(watched.contains("accuracy") && watched.contains("ROC AUC"), "{watched}");
    assert!(terminal.succeeds("jobs").contains(&name));
    assert!(terminal.succeeds("models").contains(&name));
    let admin = system.client().admin().await;
    let row = serde_json::json!({"model": name, "features": {"sex": "female", "age": 29, "pclass": 1}});
    admin.served(row, &serde_json::json!(1)).await;
    let predicted = terminal.succeeds(&format!("predict --model {name} sex=female age=29 pclass=1"));
    assert!(predicted.contains("survived") && predicted.contains("true"), "{predicted}");
}

async fn the_job_log_is_readable_during_and_after_the_run(system: &System) {
    let (terminal, name) = (Terminal::new(system), unique("said"));
    terminal.succeeds("login");
    let watched = terminal.run(&format!("train --watch --algorithm decision_tree --features sex,age --name {name}"));
    let live = String::from_utf8(watched.stderr).unwrap();
    assert!(live.contains("read 1309 rows") && live.contains("publishing the model"), "{live}");
    let admin = system.client().admin().await;
    let id = admin.get(&format!("/training?name={name}")).await.expect(200)["items"][0]["job_id"].clone();
    let id = id.as_str().unwrap();
    let log = terminal.succeeds(&format!("jobs logs {id} --follow"));
    assert!(log.contains("training on 1047 rows") && log.contains("accuracy 0."), "{log}");
    let list: Value = serde_json::from_str(&terminal.succeeds(&format!("jobs logs {id} --json"))).unwrap();
    assert_eq!(list.as_array().unwrap().len(), log.lines().count());
    terminal.fails("jobs logs 00000000-0000-7000-8000-000000000000", 4);
}

async fn a_watched_search_prints_its_trials(system: &System) {
    let (terminal, name) = (Terminal::new(system), unique("auto"));
    terminal.succeeds("login");
    let train = "train --watch --algorithm auto --param max_trials=5 --features sex,age,pclass --name";
    let watched = terminal.run(&format!("{train} {name}"));
    let (live, result) = (String::from_utf8(watched.stderr).unwrap(), String::from_utf8(watched.stdout).unwrap());
    let rows = live.lines().skip_while(|line| !line.starts_with("TRIAL  ALGORITHM")).skip(1);
    // A slow search also prints its progress between the rows.
    let is_trial = |line: &&str| line.split_whitespace().next().is_some_and(|trial| trial.parse::<u32>().is_ok());
    let algorithms: Vec<&str> =
        rows.filter(is_trial).filter_map(|line| line.split_whitespace().nth(1)).take(5).collect();
    let expected = ["logistic_regression", "random_forest", "extra_trees", "gradient_boosting", "svm"];
    assert_eq!(algorithms, expected, "{live}");
    assert!(result.contains("Search: 5 trials in") && result.contains("validation log_loss 0."), "{result}");
}

async fn output_for_scripts_is_only_json(system: &System) {
    let (terminal, name) = (Terminal::new(system), unique("json"));
    terminal.succeeds("login --json");
    let train = "train --json --watch --algorithm decision_tree --features sex,age --name";
    let job: Value = serde_json::from_str(&terminal.succeeds(&format!("{train} {name}"))).unwrap();
    assert_eq!(job["status"], "succeeded");
    let jobs: Value = serde_json::from_str(&terminal.succeeds("jobs --json")).unwrap();
    assert!(jobs["items"].is_array());
    let models: Value = serde_json::from_str(&terminal.succeeds("models --json")).unwrap();
    assert!(models["items"].is_array());
}

async fn an_upload_shows_how_the_file_is_read(system: &System) {
    let (terminal, name) = (Terminal::new(system), unique("sales"));
    terminal.succeeds("login");
    let file = terminal.home.path().join(format!("{name}.csv"));
    std::fs::write(&file, b"stra\xdfe;zip;price\na;01067;1,5\nb;10115;2,5\n").unwrap();
    let upload = format!("datasets upload {}", file.display());
    let shown = terminal.succeeds(&format!("{upload} --dry-run --encoding latin1 --type zip=text --missing b"));
    for part in ["windows-1252, delimiter ; decimal ,", "straße", "1 (50.0 %)", "1.5 to 2.5"] {
        assert!(shown.contains(part), "{part:?} is not in\n{shown}");
    }
    terminal.fails(&format!("datasets show {name}"), 4);
    let shown = terminal.succeeds(&upload);
    assert!(shown.contains(&format!("{name} version 1")) && shown.contains("warning: "), "{shown}");
    let error = terminal.fails(&format!("{upload} --type zap=number"), 1);
    assert!(error.contains("zap"), "{error}");
}

async fn exit_codes_distinguish_errors(system: &System) {
    let terminal = Terminal::new(system);
    terminal.fails("train --algorithm", 2);
    terminal.succeeds("login");
    let error = terminal.fails("train --algorithm xgboost --features sex --name x", 1);
    assert!(error.contains("algorithm") && error.contains("random_forest"), "{error}");
    terminal.fails("jobs show 00000000-0000-7000-8000-000000000000", 4);
    let unreachable = terminal.fails("jobs --url http://127.0.0.1:1", 5);
    assert!(unreachable.contains("127.0.0.1:1"), "{unreachable}");
}

async fn accounts_are_invited_changed_and_deleted(system: &System) {
    let (terminal, theirs) = (Terminal::new(system), Terminal::new(system));
    let email = format!("{}@example.com", unique("invited"));
    terminal.succeeds("login");
    let once = terminal.succeeds(&format!("users invite {email} --role admin"));
    let login = format!("login --email {email} --password-stdin");
    let signed_in = theirs.types(&login, &once);
    assert!(signed_in.status.success(), "{signed_in:?}");
    assert!(String::from_utf8_lossy(&signed_in.stderr).contains("trainyard passwd"), "{signed_in:?}");
    let wrong = theirs.types("passwd --password-stdin", "not that one\nmy own password\n");
    assert_eq!(wrong.status.code(), Some(3), "{wrong:?}");
    let changed = theirs.types("passwd --password-stdin", &format!("{}\nmy own password\n", once.trim()));
    assert!(changed.status.success(), "{changed:?}");
    assert!(theirs.types("users list --limit 100", "").status.success(), "the session goes on");
    assert!(theirs.types(&login, "my own password\n").status.success());

    terminal.succeeds(&format!("users role {email} user"));
    terminal.succeeds(&format!("users disable {email}"));
    assert_eq!(theirs.types(&login, "my own password\n").status.code(), Some(3));
    terminal.succeeds(&format!("users enable {email}"));
    let again = terminal.succeeds(&format!("users reset-password {email}"));
    assert_ne!(again, once);
    assert!(theirs.types(&login, &again).status.success());
    terminal.succeeds(&format!("users delete {email}"));
    assert_eq!(theirs.types(&login, &again).status.code(), Some(3));
    terminal.fails(&format!("users delete {email}"), 2);
    assert!(!terminal.succeeds("users list --limit 100").contains(&email));
}

async fn an_api_key_replaces_the_login(system: &System) {
    let (terminal, script) = (Terminal::new(system), Terminal::new(system));
    terminal.succeeds("login");
    let key = terminal.succeeds("api-keys create nightly --role admin --expires-in 90d");
    let key = key.trim();
    assert!(key.starts_with("ty_") && key.len() == 43, "only the key is on standard output: {key}");
    let with_key = |line: &str| {
        let mut command = script.command(line);
        command.env_remove("TRAINYARD_EMAIL").env_remove("TRAINYARD_PASSWORD").env("TRAINYARD_TOKEN", key);
        command.output().unwrap()
    };
    assert!(with_key("users list").status.success());
    let refused = with_key("api-keys create more");
    assert_eq!(refused.status.code(), Some(3), "{refused:?}");

    let list = terminal.succeeds("api-keys list --limit 100");
    let row = list.lines().find(|row| row.contains(&key[..7])).unwrap_or_else(|| panic!("{list}"));
    assert!(row.contains("nightly") && row.contains("admin") && !list.contains(key), "{list}");
    let id = row.split_whitespace().next().unwrap();
    terminal.succeeds(&format!("api-keys delete {id}"));
    terminal.fails(&format!("api-keys delete {id}"), 4);
    eventually("the key is refused", Duration::from_secs(5), async || {
        let output = with_key("users list");
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code() == Some(3) && message.contains("TRAINYARD_TOKEN")).then_some(())
    })
    .await;
    terminal.fails("api-keys create x --expires-in soon", 2);
}

async fn jobs_are_searched_cancelled_and_retried_together(system: &System) {
    let (terminal, name) = (Terminal::new(system), unique("many"));
    let admin = system.client().admin().await;
    for _ in 0..3 {
        admin.submit(later_job(&name)).await;
    }
    terminal.succeeds("login");
    let refused = terminal.fails(&format!("jobs cancel --all --name {name}"), 2);
    assert!(refused.contains("3 jobs match; add --yes"), "{refused}");
    assert_eq!(terminal.succeeds(&format!("jobs cancel --all --name {name} --yes")), "3\n");
    let listed = |filter: &str| {
        let page: Value = serde_json::from_str(&terminal.succeeds(&format!("jobs list --json {filter}"))).unwrap();
        page["items"].as_array().unwrap().len()
    };
    assert_eq!(listed(&format!("--search {name} --status cancelled")), 3);
    assert_eq!(listed(&format!("--search {name} --status !cancelled")), 0);
    let retried = terminal.succeeds(&format!("jobs retry --all --name {name} --status cancelled --yes --json"));
    let action: Value = serde_json::from_str(&retried).unwrap();
    assert_eq!((action["changed"].as_i64(), action["status"].as_str()), (Some(3), Some("succeeded")));
    // A worker may have started them.
    assert_eq!(listed(&format!("--name {name} --status !cancelled,failed")), 3);
    terminal.fails("jobs list --status done", 1);
}

async fn traffic_is_distributed_and_an_alias_rolled_back(system: &System) {
    let (terminal, name, admin) = (Terminal::new(system), unique("split"), system.client().admin().await);
    terminal.succeeds("login");
    for _ in 0..2 {
        admin.trained(quick_job(&name)).await;
    }
    let shown = terminal.succeeds(&format!("models traffic set {name} 1=90 2=10"));
    assert!(shown.contains("90.0 %") && shown.contains("10.0 %"), "{shown}");
    let refused = terminal.fails(&format!("models alias {name} production 2"), 1);
    assert!(refused.contains("traffic") && refused.contains("1 and 2"), "{refused}");
    terminal.succeeds(&format!("models traffic clear {name}"));
    assert!(terminal.succeeds(&format!("models traffic show {name}")).contains("production"));
    terminal.succeeds(&format!("models alias {name} production 2 --max-error-rate 0.05 --min-requests 7"));
    let history = terminal.succeeds(&format!("models history {name}"));
    assert!(history.contains("first-version") && history.contains("guarded until"), "{history}");
    terminal.succeeds(&format!("models rollback {name} --from 2"));
    terminal.fails(&format!("models rollback {name} --from 2"), 1);
    let model: Value = serde_json::from_str(&terminal.succeeds("models --limit 100 --json")).unwrap();
    let model = model["items"].as_array().unwrap().iter().find(|model| model["name"] == name.as_str()).unwrap();
    assert_eq!(model["aliases"]["production"], 1);
    let card = terminal.succeeds(&format!("models card {name}"));
    assert!(card.starts_with(&format!("# {name} version 1\n")), "the version of production: {card}");
    assert!(terminal.succeeds(&format!("models card {name} --version 2")).contains(" version 2\n"));
    terminal.fails(&format!("models card {name} --version 9"), 4);
}

async fn a_model_is_exported_to_a_file(system: &System) {
    let (terminal, name) = (Terminal::new(system), unique("exported"));
    system.client().admin().await.trained(quick_job(&name)).await;
    terminal.succeeds("login");
    let file = terminal.home.path().join("model.onnx");
    let command = format!("models export {name} --version 1 --format onnx --output {}", file.display());
    terminal.succeeds(&command);
    let bytes = std::fs::read(&file).unwrap();
    // The first field of an ONNX file is the version of its format.
    assert!(bytes.starts_with(&[8, 8]), "{:?}", &bytes[..8]);
    let unchanged = terminal.home.path().join("model.tym");
    terminal.succeeds(&format!("models export {name} --version 1 --format tym --output {}", unchanged.display()));
    assert!(std::fs::read(&unchanged).unwrap().starts_with(b"TYMODEL"));
    let missing = terminal.home.path().join("missing.onnx");
    let error = terminal.fails(&format!("models export {name} --version 9 --output {}", missing.display()), 4);
    assert!(error.contains("does not exist"), "{error}");
    assert!(
        std::fs::read_dir(terminal.home.path())
            .unwrap()
            .all(|entry| { !entry.unwrap().file_name().to_string_lossy().starts_with("missing") })
    );
}
