//! `trainyard login` and `trainyard logout`.

use std::io::{self, BufRead, IsTerminal, Write};

use clap::Args;
use serde_json::json;

use crate::client::error::ClientError;
use crate::client::output::Output;
use crate::client::server::{Server, variable};

/// Sign in and keep the session for later commands.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  trainyard login
  trainyard login --url https://trainyard.example.com --email ada@example.com
  echo \"$PASSWORD\" | trainyard login --email ada@example.com --password-stdin

Without options it asks. TRAINYARD_EMAIL and TRAINYARD_PASSWORD answer for you. The session is kept in
$XDG_CONFIG_HOME/trainyard/session.json, readable by you alone, and renewed by itself.")]
pub struct LoginArgs {
    /// The account's e-mail address.
    #[arg(long, env = "TRAINYARD_EMAIL")]
    pub email: Option<String>,
    /// Read the password from the first line of standard input.
    #[arg(long)]
    pub password_stdin: bool,
}

/// Signs in.
pub(crate) async fn run(args: LoginArgs, server: &Server, output: Output) -> Result<(), ClientError> {
    let (email, password) = tokio::task::spawn_blocking(move || credentials(args))
        .await
        .map_err(|error| ClientError::Protocol(error.to_string()))??;
    let (session, answer) = server.login(&email, &password).await?;
    server.file().save(&session)?;
    let (email, address, path) = (&session.email, server.address(), server.file().path());
    output.say(format!("signed in as {email} at {address}; the session is kept in {}", path.display()));
    if answer.body["must_change_password"] == true {
        output.say("this password does not sign in again; set your own with: trainyard passwd");
    }
    if output.json {
        output.result(&answer.raw, String::new);
    }
    Ok(())
}

/// Ends the session, on the server and here.
pub(crate) async fn logout(server: &Server, output: Output) -> Result<(), ClientError> {
    let Some(session) = server.file().load() else {
        output.say("nobody is signed in");
        return Ok(());
    };
    let body = json!({"refresh_token": session.refresh_token});
    // A session goes to the server that gave it.
    let ended = if session.url == server.address() {
        server.send_anonymous(server.at(&["logout"]), &body).await.map(drop)
    } else {
        Ok(())
    };
    server.file().remove()?;
    match ended {
        // The server has forgotten it already: just what was wanted.
        Err(ClientError::Refused(refusal)) if refusal.status == 401 => Ok(()),
        Err(error) => {
            output.say("signed out here; the server could not be told");
            Err(error)
        }
        Ok(()) => {
            output.say(format!("{} is signed out of {}", session.email, session.url));
            Ok(())
        }
    }
}

fn credentials(args: LoginArgs) -> Result<(String, String), ClientError> {
    let asked = io::stdin().is_terminal();
    let email = match args.email {
        Some(email) => email,
        None if asked && !args.password_stdin => ask_email()?,
        None => return Err(ClientError::Usage("--email is required when there is no terminal to ask on".into())),
    };
    let password = if args.password_stdin {
        first_line()?
    } else if let Some(password) = variable("TRAINYARD_PASSWORD") {
        password
    } else if asked {
        rpassword::prompt_password("Password: ")
            .map_err(|error| ClientError::Local("the password can't be read".into(), error))?
    } else {
        let message = "there is no terminal to ask for the password on; use --password-stdin or TRAINYARD_PASSWORD";
        return Err(ClientError::Usage(message.into()));
    };
    Ok((email, password))
}

fn ask_email() -> Result<String, ClientError> {
    let mut err = io::stderr();
    let asked = write!(err, "E-mail: ").and_then(|()| err.flush());
    asked.map_err(|error| ClientError::Local("can't ask".into(), error))?;
    first_line()
}

/// A line of standard input.
pub(crate) fn first_line() -> Result<String, ClientError> {
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    read.map_err(|error| ClientError::Local("standard input can't be read".into(), error))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
