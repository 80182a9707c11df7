//! `trainyard datasets upload`.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use clap::Args;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Body, Url};
use trainyard_domain::Dtype;

use super::profile::profile;
use crate::client::error::ClientError;
use crate::client::output::Output;
use crate::client::server::Server;
use crate::client::show;

/// At least as long as the server's own upload timeout.
const UPLOAD_LIMIT: Duration = Duration::from_secs(15 * 60);

/// Options of an upload.
#[derive(Debug, Args)]
#[command(
    after_help = "The server detects delimiter, decimal mark, encoding, header and column types, and the answer shows them.
An option overrules the detection of one of them.

Examples:
  trainyard datasets upload measurements.csv
  trainyard datasets upload sales.csv --dry-run
  trainyard datasets upload sales.csv --delimiter ';' --decimal , --encoding windows-1252
  trainyard datasets upload people.tsv.gz --type zip=category --missing unknown,-9"
)]
pub struct UploadArgs {
    /// The file: CSV, tab-separated or another table with delimiters; *.gz is sent compressed.
    file: PathBuf,
    /// The dataset's name [default: the file's name].
    #[arg(long)]
    name: Option<String>,
    /// The character between two fields.
    #[arg(long, value_name = "CHAR", value_parser = ["auto", ",", ";", "tab", "|"])]
    delimiter: Option<String>,
    /// The decimal mark of numbers.
    #[arg(long, value_name = "CHAR", value_parser = ["auto", ".", ","])]
    decimal: Option<String>,
    /// The encoding, such as utf-8, utf-16 or windows-1252.
    #[arg(long)]
    encoding: Option<String>,
    /// Whether the first row holds the column names.
    #[arg(long, value_parser = ["auto", "present", "absent"])]
    header: Option<String>,
    /// Further texts that mean a missing value, separated by commas.
    #[arg(long, value_name = "TEXT", value_delimiter = ',', allow_hyphen_values = true)]
    missing: Vec<String>,
    /// The type of a column: number, category, boolean, datetime or text. Can be repeated.
    #[arg(long = "type", value_name = "NAME=TYPE", value_parser = column_type)]
    types: Vec<(String, Dtype)>,
    /// Show how the file is read and its profile, and store nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Parses `NAME=TYPE`. The last `=` separates.
fn column_type(text: &str) -> Result<(String, Dtype), String> {
    let names = Dtype::ALL.map(|(_, name)| name).join(", ");
    let (name, dtype) = text.rsplit_once('=').ok_or_else(|| format!("write NAME=TYPE; a type is one of {names}"))?;
    let dtype = Dtype::parse(dtype).ok_or_else(|| format!("'{dtype}' is not a type; use one of {names}"))?;
    Ok((name.to_owned(), dtype))
}

impl UploadArgs {
    fn add_to(&self, url: &mut Url) {
        let file_name = self.file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let mut query = url.query_pairs_mut();
        query.append_pair("name", self.name.as_deref().unwrap_or(stem(file_name)));
        let settings = [
            ("delimiter", &self.delimiter),
            ("decimal", &self.decimal),
            ("encoding", &self.encoding),
            ("header", &self.header),
        ];
        for (name, value) in settings {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        if !self.missing.is_empty() {
            query.append_pair("missing", &self.missing.join(","));
        }
        if !self.types.is_empty() {
            let types: Vec<_> = self.types.iter().map(|(name, dtype)| format!("{name}:{}", dtype.as_str())).collect();
            query.append_pair("types", &types.join(","));
        }
        if self.dry_run {
            query.append_pair("dry_run", "true");
        }
    }
}

/// The file name without the endings of tables and gzip.
fn stem(file_name: &str) -> &str {
    let name = file_name.strip_suffix(".gz").unwrap_or(file_name);
    [".csv", ".tsv", ".txt", ".tab"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
}

fn content_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("gz") => "application/gzip",
        Some("tsv" | "tab") => "text/tab-separated-values",
        _ => "text/csv",
    }
}

pub(super) async fn upload(args: &UploadArgs, server: &Server, output: Output) -> Result<(), ClientError> {
    let path = args.file.as_path();
    let unreadable = |error| ClientError::Usage(format!("{}: {error}", path.display()));
    let mut url = server.at(&["datasets"]);
    args.add_to(&mut url);
    // Each attempt opens the file: `send` repeats the request if the token has expired.
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    let files = Mutex::new(Some(file));
    let answer = server
        .send(|http| {
            let reopened = || std::fs::File::open(path).ok();
            let file = files.lock().ok().and_then(|mut first| first.take()).or_else(reopened);
            let request = http.post(url.clone()).timeout(UPLOAD_LIMIT).header(CONTENT_TYPE, content_type(path));
            match file {
                Some(file) => request.header(CONTENT_LENGTH, length).body(Body::from(tokio::fs::File::from_std(file))),
                None => request,
            }
        })
        .await?;
    output.result(&answer.raw, || profile(&answer.body));
    output.message(match args.dry_run {
        true => "nothing is stored: this is a dry run".to_owned(),
        false => {
            let (name, version) = (show::text(&answer.body["name"]), show::text(&answer.body["version"]));
            format!("{name} version {version} is uploaded")
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        args: UploadArgs,
    }

    fn query(args: &[&str]) -> String {
        let command = Command::parse_from([&["upload"], args].concat());
        let mut url = Url::parse("http://localhost/datasets").unwrap();
        command.args.add_to(&mut url);
        let pairs = url.query_pairs().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("&")
    }

    #[test]
    fn options_become_parameters() {
        assert_eq!(query(&["data/sales.tsv.gz"]), "name=sales");
        let options = ["--delimiter", ";", "--decimal", ",", "--encoding", "latin1", "--header", "absent", "--dry-run"];
        let sent = "name=s&delimiter=;&decimal=,&encoding=latin1&header=absent&dry_run=true";
        assert_eq!(query(&[&["x.csv", "--name", "s"], &options[..]].concat()), sent);
        let options =
            ["--missing", "unknown,-9", "--missing", "-", "--type", "a=b=category", "--type", "when=datetime"];
        let sent = "name=x.csv2&missing=unknown,-9,-&types=a=b:category,when:datetime";
        assert_eq!(query(&[&["x.csv2"], &options[..]].concat()), sent);
    }

    #[test]
    fn unknown_types_are_refused_with_the_known_ones() {
        let refused = Command::try_parse_from(["upload", "x.csv", "--type", "zip=string"]).unwrap_err().to_string();
        assert!(refused.contains("'string' is not a type") && refused.contains("datetime"), "{refused}");
    }
}
