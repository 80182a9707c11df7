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
#[command(after_help = "Accounts are named by e-mail address or id. Examples:
  trainyard users list
  trainyard users invite ada@example.com --role admin
  trainyard users reset-password ada@example.com")]
pub struct UsersArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: UsersCommand,
}

/// What an account may do.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum RoleArg {
    /// Predicts and sees models.
    User,
    /// Administers.
    Admin,
}

impl RoleArg {
    fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
        }
    }
}

/// What can be done with accounts.
#[derive(Debug, Subcommand)]
pub enum UsersCommand {
    /// List accounts, newest first.
    List(ListArgs),
    /// Open an account, and print the one-time password that its owner signs in with.
    Invite {
        /// The e-mail address.
        email: String,
        /// What the account may do.
        #[arg(long, value_enum, default_value = "user")]
        role: RoleArg,
    },
    /// Shut an account out; its sessions end at once.
    Disable {
        /// E-mail address or id.
        account: String,
    },
    /// Let a disabled account sign in again.
    Enable {
        /// E-mail address or id.
        account: String,
    },
    /// Change what an account may do; it signs in again.
    Role {
        /// E-mail address or id.
        account: String,
        /// The new role.
        #[arg(value_enum)]
        role: RoleArg,
    },
    /// Replace a forgotten password, and print the one-time password that the owner signs in with.
    ResetPassword {
        /// E-mail address or id.
        account: String,
    },
    /// Delete an account; its jobs stay.
    Delete {
        /// E-mail address or id.
        account: String,
    },
}

/// Carries it out.
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
            output.say(format!("account {account} is deleted"));
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
    output.say(format!("{} is {}{state}", show::text(&answer.body["email"]), show::text(&answer.body["role"])));
    Ok(())
}

fn show_one_time_password(answer: &Answer, output: Output) {
    let (body, until) = (&answer.body, show::moment(&answer.body["one_time_password_expires_at"]));
    output.result(&answer.raw, || format!("{}\n", show::text(&body["one_time_password"])));
    let email = show::text(&body["email"]);
    output.say(format!(
        "{email} signs in with it once, until {until}, and sets a password with: trainyard passwd. It is not shown again."
    ));
}

/// The id of an account.
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
            return Err(ClientError::Usage(format!("there is no account with the e-mail address {account}")));
        };
        next = url.clone();
        next.query_pairs_mut().append_pair("cursor", cursor);
    }
}
