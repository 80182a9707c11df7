//! `trainyard login` and `trainyard logout`.

use std::io::{self, BufRead, IsTerminal, Write};

use clap::Args;
use serde_json::json;

use crate::client::error::ClientError;
use crate::client::output::Output;
use crate::client::server::{Server, variable};

/// Sign in and store the session for later commands.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  trainyard login
  trainyard login --url https://trainyard.example.com --email ada@example.com
  echo \"$PASSWORD\" | trainyard login --email ada@example.com --password-stdin

Without options the command asks for both. TRAINYARD_EMAIL and TRAINYARD_PASSWORD replace the questions. The session is stored in
$XDG_CONFIG_HOME/trainyard/session.json, readable only by you, and renewed automatically.

Scripts need no login: set TRAINYARD_TOKEN to an API key (trainyard api-keys create).")]
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
    output.message(format!("signed in as {email} at {address}; the session is stored in {}", path.display()));
    if answer.body["must_change_password"] == true {
        output.message("this password works only once; set your own with: trainyard passwd");
    }
    if output.json {
        output.result(&answer.raw, String::new);
    }
    Ok(())
}

/// Ends the session on the server and deletes the session file.
pub(crate) async fn logout(server: &Server, output: Output) -> Result<(), ClientError> {
    let Some(session) = server.file().load() else {
        output.message("not signed in");
        return Ok(());
    };
    let body = json!({"refresh_token": session.refresh_token});
    // A refresh token is sent only to the server that issued it.
    let ended = if session.url == server.address() {
        server.send_anonymous(server.at(&["logout"]), &body).await.map(drop)
    } else {
        Ok(())
    };
    server.file().remove()?;
    match ended {
        // 401: the session has already ended on the server.
        Err(ClientError::Refused(refusal)) if refusal.status == 401 => Ok(()),
        Err(error) => {
            output.message("the session file is deleted, but the session on the server could not be ended");
            Err(error)
        }
        Ok(()) => {
            output.message(format!("{} is signed out of {}", session.email, session.url));
            Ok(())
        }
    }
}

fn credentials(args: LoginArgs) -> Result<(String, String), ClientError> {
    let interactive = io::stdin().is_terminal();
    let email = match args.email {
        Some(email) => email,
        None if interactive && !args.password_stdin => ask_email()?,
        None => return Err(ClientError::Usage("--email is required if standard input is not a terminal".into())),
    };
    let password = if args.password_stdin {
        first_line()?
    } else if let Some(password) = variable("TRAINYARD_PASSWORD") {
        password
    } else if interactive {
        rpassword::prompt_password("Password: ")
            .map_err(|error| ClientError::Local("the password can't be read".into(), error))?
    } else {
        let message = "standard input is not a terminal; use --password-stdin or TRAINYARD_PASSWORD";
        return Err(ClientError::Usage(message.into()));
    };
    Ok((email, password))
}

fn ask_email() -> Result<String, ClientError> {
    let mut err = io::stderr();
    let prompted = write!(err, "E-mail: ").and_then(|()| err.flush());
    prompted.map_err(|error| ClientError::Local("can't prompt".into(), error))?;
    first_line()
}

/// Reads one line of standard input.
pub(crate) fn first_line() -> Result<String, ClientError> {
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    read.map_err(|error| ClientError::Local("standard input can't be read".into(), error))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
