//! `trainyard api-keys`.

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::error::ClientError;
use crate::client::output::{Output, list, plain};
use crate::client::paging::{ListArgs, show_page};
use crate::client::server::Server;
use crate::client::show;
use crate::client::users::RoleArg;

/// Create, list and delete API keys, which scripts and services use instead of a login.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  trainyard api-keys create shop-backend --expires-in 90d
  trainyard api-keys create nightly-training --role admin > key.txt
  trainyard api-keys
  trainyard api-keys delete 01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11

Use a key with any HTTP client, or with these commands by the variable TRAINYARD_TOKEN:
  curl -H \"Authorization: Bearer $KEY\" https://trainyard.example.com/models
  TRAINYARD_TOKEN=$KEY trainyard predict --model demo sex=female age=29 pclass=1

A key has at most the role of its account, and works until it expires, is deleted, or its account is disabled. A deleted key is
refused within 5 seconds. A key can't create keys or change accounts: these commands need a login."
)]
pub struct ApiKeysArgs {
    /// The action; the default is `list`.
    #[command(subcommand)]
    pub command: Option<ApiKeysCommand>,
    /// Options of the default action.
    #[command(flatten)]
    pub list: ListArgs,
}

/// Actions on API keys.
#[derive(Debug, Subcommand)]
pub enum ApiKeysCommand {
    /// List your API keys, newest first.
    List(ListArgs),
    /// Create an API key and print it. It is not shown again.
    Create {
        /// A name to recognize the key by, such as the program that uses it.
        name: String,
        /// The highest role of the key.
        #[arg(long, value_enum, default_value = "user")]
        role: RoleArg,
        /// Time until the key expires, such as 90d, 12h or 30m [default: never].
        #[arg(long, value_name = "TIME", value_parser = time_span)]
        expires_in: Option<Duration>,
    },
    /// Delete an API key. It is refused everywhere within 5 seconds.
    Delete {
        /// The key's id, as in the list.
        id: String,
    },
}

/// Runs the command.
pub(crate) async fn run(args: ApiKeysArgs, server: &Server, output: Output) -> Result<(), ClientError> {
    match args.command {
        None => show_page(&["api-keys"], args.list, &[], server, output, table).await,
        Some(ApiKeysCommand::List(page)) => show_page(&["api-keys"], page, &[], server, output, table).await,
        Some(ApiKeysCommand::Create { name, role, expires_in }) => {
            let expires_at = expires_in.map(|time| expiry(time, Utc::now())).transpose()?;
            let body = json!({"name": name, "role": role.as_str(), "expires_at": expires_at});
            create(&body, server, output).await
        }
        Some(ApiKeysCommand::Delete { id }) => {
            let url = server.at(&["api-keys", &id]);
            server.send(|http| http.delete(url.clone())).await?;
            output.message(format!("API key {id} is deleted; it is refused everywhere within 5 seconds"));
            Ok(())
        }
    }
}

async fn create(body: &Value, server: &Server, output: Output) -> Result<(), ClientError> {
    let answer = server.send_json(Method::POST, server.at(&["api-keys"]), body).await?;
    output.result(&answer.raw, || format!("{}\n", show::text(&answer.body["key"])));
    let until = match &answer.body["expires_at"] {
        Value::Null => "does not expire".to_owned(),
        at => format!("expires at {}", show::moment(at)),
    };
    output.message(format!(
        "the key is not shown again. It has the role {} and {until}. Delete it with: trainyard api-keys delete {}",
        show::text(&answer.body["role"]),
        show::text(&answer.body["id"]),
    ));
    Ok(())
}

fn table(keys: &Value) -> String {
    let mut table = list(&["api key", "name", "prefix", "role", "created", "last used", "expires"]);
    for key in keys.as_array().into_iter().flatten() {
        let or_never = |at: &Value| if at.is_null() { "never".to_owned() } else { show::moment(at) };
        table.add_row([
            show::text(&key["id"]),
            show::text(&key["name"]),
            format!("{}…", show::text(&key["prefix"])),
            show::text(&key["role"]),
            show::moment(&key["created_at"]),
            or_never(&key["last_used_at"]),
            or_never(&key["expires_at"]),
        ]);
    }
    plain(&table)
}

/// Parses a time span such as `90d`: a whole number and one of the units `s`, `m`, `h`, `d` and `w`.
fn time_span(text: &str) -> Result<Duration, String> {
    let wrong = || format!("'{text}' is not a time such as 90d, 12h or 30m");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return Err(wrong()),
    };
    let number = number.parse::<u32>().map_err(|_| wrong())?;
    Ok(Duration::seconds(i64::from(number) * seconds))
}

/// The time `span` after `now`, as the server expects it.
fn expiry(span: Duration, now: DateTime<Utc>) -> Result<String, ClientError> {
    let at = now.checked_add_signed(span);
    let at = at.ok_or_else(|| ClientError::Usage("--expires-in: the time is too far in the future".into()))?;
    Ok(at.to_rfc3339_opts(SecondsFormat::Secs, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_spans_have_a_unit() {
        assert_eq!(time_span("90d"), Ok(Duration::days(90)));
        assert_eq!(time_span("30m"), Ok(Duration::minutes(30)));
        assert_eq!(time_span("2w"), Ok(Duration::days(14)));
        for wrong in ["", "90", "d", "-1d", "1.5h", "1y", "1é", "5000000000d"] {
            assert!(time_span(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_expiry_is_a_time_in_utc() {
        assert_eq!(expiry(Duration::days(1), DateTime::UNIX_EPOCH).unwrap(), "1970-01-02T00:00:00Z");
        assert!(expiry(Duration::MAX, Utc::now()).is_err());
    }
}
