//! `trainyard users`.

use clap::{Args, Subcommand, ValueEnum};
use reqwest::Method;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use crate::client::error::ClientError;
use crate::client::output::{Output, list, plain};
use crate::client::paging::{ListArgs, show_page};
use crate::client::server::{Answer, Server};
use crate::client::show;

/// List, invite, disable, enable and delete accounts, change their roles, reset their passwords.
#[derive(Debug, Args)]
#[command(after_help = "ACCOUNT is an e-mail address or an id. Examples:
  trainyard users list
  trainyard users invite ada@example.com --role admin
  trainyard users reset-password ada@example.com")]
pub struct UsersArgs {
    /// The action.
    #[command(subcommand)]
    pub command: UsersCommand,
}

/// The role of an account.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum RoleArg {
    /// Can predict and read models.
    User,
    /// Can administer everything.
    Admin,
}

impl RoleArg {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
        }
    }
}

/// Actions on accounts.
#[derive(Debug, Subcommand)]
pub enum UsersCommand {
    /// List accounts, newest first.
    List(ListArgs),
    /// Create an account and print its one-time password.
    Invite {
        /// The e-mail address.
        email: String,
        /// The role of the account.
        #[arg(long, value_enum, default_value = "user")]
        role: RoleArg,
    },
    /// Disable an account and end its sessions.
    Disable {
        /// E-mail address or id.
        account: String,
    },
    /// Enable a disabled account.
    Enable {
        /// E-mail address or id.
        account: String,
    },
    /// Change the role of an account and end its sessions.
    Role {
        /// E-mail address or id.
        account: String,
        /// The new role.
        #[arg(value_enum)]
        role: RoleArg,
    },
    /// Reset a forgotten password and print a one-time password.
    ResetPassword {
        /// E-mail address or id.
        account: String,
    },
    /// Delete an account; its jobs are kept.
    Delete {
        /// E-mail address or id.
        account: String,
    },
}

/// Runs the command.
pub(crate) async fn run(args: UsersArgs, server: &Server, output: Output) -> Result<(), ClientError> {
    match args.command {
        UsersCommand::List(page) => show_page_of_accounts(page, server, output).await,
        UsersCommand::Invite { email, role } => {
            let body = json!({"email": email, "role": role.as_str()});
            let answer = server.send_json(Method::POST, server.at(&["admin", "users"]), &body).await?;
            show_one_time_password(&answer, output);
            Ok(())
        }
        UsersCommand::Disable { account } => change(&account, &json!({"disabled": true}), server, output).await,
        UsersCommand::Enable { account } => change(&account, &json!({"disabled": false}), server, output).await,
        UsersCommand::Role { account, role } => change(&account, &json!({"role": role.as_str()}), server, output).await,
        UsersCommand::ResetPassword { account } => {
            let url = server.at(&["admin", "users", &find(&account, server).await?, "reset-password"]);
            let answer = server.send(|http| http.post(url.clone())).await?;
            show_one_time_password(&answer, output);
            Ok(())
        }
        UsersCommand::Delete { account } => {
            let url = server.at(&["admin", "users", &find(&account, server).await?]);
            server.send(|http| http.delete(url.clone())).await?;
            output.message(format!("account {account} is deleted"));
            Ok(())
        }
    }
}

async fn show_page_of_accounts(page: ListArgs, server: &Server, output: Output) -> Result<(), ClientError> {
    show_page(&["admin", "users"], page, &[], server, output, table).await
}

fn table(accounts: &Value) -> String {
    let mut table = list(&["account", "e-mail", "role", "disabled", "created"]);
    for account in accounts.as_array().into_iter().flatten() {
        let disabled = if account["disabled"] == true { "yes" } else { "" };
        table.add_row([
            show::text(&account["id"]),
            show::text(&account["email"]),
            show::text(&account["role"]),
            disabled.to_owned(),
            show::moment(&account["created_at"]),
        ]);
    }
    plain(&table)
}

async fn change(account: &str, body: &Value, server: &Server, output: Output) -> Result<(), ClientError> {
    let url = server.at(&["admin", "users", &find(account, server).await?]);
    let answer = server.send_json(Method::PATCH, url, body).await?;
    if output.json {
        output.result(&answer.raw, String::new);
    }
    let state = if answer.body["disabled"] == true { ", disabled" } else { "" };
    output.message(format!("{} is {}{state}", show::text(&answer.body["email"]), show::text(&answer.body["role"])));
    Ok(())
}

fn show_one_time_password(answer: &Answer, output: Output) {
    let (body, until) = (&answer.body, show::moment(&answer.body["one_time_password_expires_at"]));
    output.result(&answer.raw, || format!("{}\n", show::text(&body["one_time_password"])));
    let email = show::text(&body["email"]);
    output.message(format!(
        "{email} can sign in once with this password, until {until}, and then sets a new one with: trainyard passwd. The password is not shown again."
    ));
}

/// Returns the id of an account that is given by e-mail address or id.
async fn find(account: &str, server: &Server) -> Result<String, ClientError> {
    if account.parse::<Uuid>().is_ok() {
        return Ok(account.to_owned());
    }
    let wanted = account.trim().to_lowercase();
    let mut url: Url = server.at(&["admin", "users"]);
    url.query_pairs_mut().append_pair("limit", "100");
    let mut next = url.clone();
    loop {
        let page = server.get(next).await?;
        let items = page.body["items"].as_array().cloned().unwrap_or_default();
        if let Some(found) = items.iter().find(|item| item["email"] == wanted.as_str()) {
            return Ok(show::text(&found["id"]));
        }
        let Some(cursor) = page.body["next_cursor"].as_str() else {
            return Err(ClientError::Usage(format!("no account has the e-mail address {account}")));
        };
        next = url.clone();
        next.query_pairs_mut().append_pair("cursor", cursor);
    }
}
