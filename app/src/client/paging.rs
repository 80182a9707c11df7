//! Options and output of the `list` commands.

use clap::Args;
use serde_json::Value;

use crate::client::error::ClientError;
use crate::client::output::Output;
use crate::client::server::Server;

/// The page of a list.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Maximum number of items, up to 100.
    #[arg(long, default_value_t = 20)]
    pub limit: u32,
    /// The next_cursor of the previous page.
    #[arg(long)]
    pub cursor: Option<String>,
}

/// Requests one page of `path` with the `filters` that are set, and prints the result of `table`.
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
        output.message(format!("there are more items: add --cursor {cursor}"));
    }
    Ok(())
}
