//! `trainyard passwd`.

use std::io::{self, IsTerminal};

use clap::Args;
use reqwest::Method;
use serde_json::json;

use crate::client::error::ClientError;
use crate::client::login::first_line;
use crate::client::output::Output;
use crate::client::server::Server;

/// Change your password; every other session of the account ends.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  trainyard passwd
  printf '%s\\n%s\\n' \"$OLD\" \"$NEW\" | trainyard passwd --password-stdin")]
pub struct PasswdArgs {
    /// Read the current and the new password from the first two lines of standard input.
    #[arg(long)]
    pub password_stdin: bool,
}

/// Changes the password.
pub(crate) async fn run(args: PasswdArgs, server: &Server, output: Output) -> Result<(), ClientError> {
    let (current, new) = tokio::task::spawn_blocking(move || passwords(&args))
        .await
        .map_err(|error| ClientError::Protocol(error.to_string()))??;
    let body = json!({"current_password": current, "new_password": new});
    server.send_json(Method::PUT, server.at(&["me", "password"]), &body).await?;
    output.message("the password is changed and all other sessions of the account have ended");
    Ok(())
}

fn passwords(args: &PasswdArgs) -> Result<(String, String), ClientError> {
    if args.password_stdin {
        return Ok((first_line()?, first_line()?));
    }
    if !io::stdin().is_terminal() {
        let message = "standard input is not a terminal; use --password-stdin";
        return Err(ClientError::Usage(message.into()));
    }
    let ask = |prompt: &str| {
        rpassword::prompt_password(prompt)
            .map_err(|error| ClientError::Local("the password can't be read".into(), error))
    };
    let (current, new) = (ask("Current password: ")?, ask("New password: ")?);
    if new != ask("New password again: ")? {
        return Err(ClientError::Usage("the new passwords differ".into()));
    }
    Ok((current, new))
}
