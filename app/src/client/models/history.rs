//! `trainyard models history` and `trainyard models rollback`.

use clap::Args;
use serde_json::Value;

use super::print_done;
use crate::client::error::ClientError;
use crate::client::output::{Output, list, plain};
use crate::client::paging::{ListArgs, show_page};
use crate::client::server::Server;
use crate::client::show;

/// Which alias to show.
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// The model's name.
    pub name: String,
    /// The alias.
    #[arg(long, default_value = "production")]
    pub alias: String,
    /// The page.
    #[command(flatten)]
    pub page: ListArgs,
}

/// Which alias to roll back.
#[derive(Debug, Args)]
pub struct RollbackArgs {
    /// The model's name.
    pub name: String,
    /// The alias.
    #[arg(long, default_value = "production")]
    pub alias: String,
    /// Roll back only if the alias points at this version.
    #[arg(long, value_name = "VERSION")]
    pub from: Option<i64>,
    /// Delete the weights of the model's traffic, which otherwise prevent a rollback of `production`.
    #[arg(long)]
    pub force: bool,
}

/// Prints a page of the history of an alias.
pub(super) async fn show_history(args: HistoryArgs, server: &Server, output: Output) -> Result<(), ClientError> {
    let path = ["models", &args.name, "aliases", &args.alias, "history"];
    show_page(&path, args.page, &[], server, output, table).await
}

/// Rolls an alias back.
pub(super) async fn roll_back(args: RollbackArgs, server: &Server, output: Output) -> Result<(), ClientError> {
    let RollbackArgs { name, alias, from, force } = args;
    let mut url = server.at(&["models", &name, "aliases", &alias, "rollback"]);
    let parameters = [("from", from.map(|version| version.to_string())), ("force", force.then(|| "true".to_owned()))];
    for (parameter, value) in parameters {
        if let Some(value) = value {
            url.query_pairs_mut().append_pair(parameter, &value);
        }
    }
    let answer = server.send(|http| http.post(url.clone())).await?;
    let version = show::text(&answer.body["version"]);
    print_done(output, &answer.raw, &format!("{alias} of {name} is version {version} again"))
}

fn table(moves: &Value) -> String {
    let mut table = list(&["moved", "from", "to", "reason", "by", "detail"]);
    for change in moves.as_array().into_iter().flatten() {
        table.add_row([
            show::moment(&change["moved_at"]),
            version(&change["from"]),
            version(&change["to"]),
            show::text(&change["reason"]).replace('_', "-"),
            show::text(&change["moved_by"]),
            detail(change),
        ]);
    }
    plain(&table)
}

fn version(value: &Value) -> String {
    if value.is_null() { "none".to_owned() } else { show::text(value) }
}

/// The detail, and what the guard has counted.
fn detail(change: &Value) -> String {
    let guard = &change["guard"];
    if guard.is_null() {
        return show::text(&change["detail"]);
    }
    let [requests, failed, slow] = ["requests", "failed", "slow"].map(|name| show::text(&guard[name]));
    let until = show::moment(&guard["ends_at"]);
    format!("guarded until {until}: {requests} predictions, {failed} failed, {slow} slow")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_history_shows_versions_reasons_and_guards() {
        let guard = json!({"ends_at": "x", "requests": 7, "failed": 1, "slow": 0});
        let text = table(&json!([
            {"moved_at": "x", "from": 3, "to": 4, "reason": "user", "moved_by": "u", "detail": null, "guard": guard},
            {"moved_at": "x", "from": null, "to": 3, "reason": "guarded_promotion", "moved_by": null, "detail": "promoted"},
        ]));
        let lines: Vec<_> = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(lines[1], "x 3 4 user u guarded until x: 7 predictions, 1 failed, 0 slow");
        assert_eq!(lines[2], "x none 3 guarded-promotion promoted");
    }
}
