//! Lists, a page at a time: what every `list` takes and says.

use clap::Args;
use serde_json::Value;

use crate::client::error::ClientError;
use crate::client::output::Output;
use crate::client::server::Server;

/// Which page of a list.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// At most this many, up to 100.
    #[arg(long, default_value_t = 20)]
    pub limit: u32,
    /// Where to go on: the next_cursor of the page before.
    #[arg(long)]
    pub cursor: Option<String>,
}

/// Asks for one page of `path`, with `filters` where they are set, and shows it as `table` makes it of its items.
pub(crate) async fn show_page(
    path: &[&str],
    page: ListArgs,
    filters: &[(&str, Option<String>)],
    server: &Server,
    output: Output,
    table: impl FnOnce(&Value) -> String,
) -> Result<(), ClientError> {
    let mut url = server.at(path);
    url.query_pairs_mut().append_pair("limit", &page.limit.to_string());
    for (name, value) in filters.iter().chain([&("cursor", page.cursor)]) {
        if let Some(value) = value {
            url.query_pairs_mut().append_pair(name, value);
        }
    }
    let page = server.get(url).await?;
    output.result(&page.raw, || table(&page.body["items"]));
    if let Some(cursor) = page.body["next_cursor"].as_str() {
        output.say(format!("there are more: add --cursor {cursor}"));
    }
    Ok(())
}
