//! The client verbs: a person's or a script's way to a Trainyard server, over the same HTTP that everybody uses.
//!
//! Each verb is a file with its arguments and what it does; [`server`] talks, [`output`] shows, [`error`] says what went
//! wrong and with which exit status. Nothing here reads the server's settings or its database.

mod batch;
mod datasets;
mod error;
mod events;
mod jobs;
mod login;
mod models;
mod output;
mod paging;
mod passwd;
mod predict;
mod report;
mod schedules;
mod server;
mod session;
mod show;
mod train;
mod users;
mod values;
mod watch;

use std::process::ExitCode;

use clap::{Args, Subcommand};

pub use datasets::DatasetsArgs;
pub use error::{ClientError, EXIT_CODES};
pub use jobs::JobsArgs;
pub use login::LoginArgs;
pub use models::ModelsArgs;
pub use passwd::PasswdArgs;
pub use predict::PredictArgs;
pub use schedules::SchedulesArgs;
pub use train::TrainArgs;
pub use users::UsersArgs;

use output::Output;
use server::Server;

/// What every client verb takes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Server and output")]
pub struct GlobalArgs {
    /// The server [default: where the session is, else http://127.0.0.1:8080].
    #[arg(long, global = true, env = "TRAINYARD_URL")]
    pub url: Option<String>,
    /// Where predictions are asked for, when that is another address than --url.
    #[arg(long, global = true, value_name = "URL", env = "TRAINYARD_INFERENCE_URL")]
    pub inference_url: Option<String>,
    /// Print the server's JSON, one document, and nothing else on standard output.
    #[arg(long, global = true)]
    pub json: bool,
}

/// A verb's own arguments with those that every client verb takes; the server's roles don't have the latter.
#[derive(Debug, Args)]
pub struct Verb<A: Args> {
    #[command(flatten)]
    own: A,
    #[command(flatten)]
    global: GlobalArgs,
}

/// A verb without arguments of its own.
#[derive(Debug, Args)]
pub struct NoArgs {}

/// The client verbs.
#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    /// Sign in and keep the session for later commands.
    Login(Verb<LoginArgs>),
    /// End the session.
    Logout(Verb<NoArgs>),
    /// Change your password.
    Passwd(Verb<PasswdArgs>),
    /// List, invite, disable and delete accounts, reset their passwords.
    Users(Verb<UsersArgs>),
    /// Submit a training job, and watch it with --watch.
    Train(Verb<TrainArgs>),
    /// List, show, cancel and retry training jobs.
    Jobs(Verb<JobsArgs>),
    /// List, make, pause, trigger and delete schedules.
    Schedules(Verb<SchedulesArgs>),
    /// List and show models, move aliases, delete versions.
    Models(Verb<ModelsArgs>),
    /// List, show, upload and delete data sets.
    Datasets(Verb<DatasetsArgs>),
    /// Predict with a published model.
    Predict(Verb<PredictArgs>),
}

impl ClientCommand {
    fn global(&self) -> &GlobalArgs {
        match self {
            Self::Login(verb) => &verb.global,
            Self::Logout(verb) => &verb.global,
            Self::Passwd(verb) => &verb.global,
            Self::Users(verb) => &verb.global,
            Self::Train(verb) => &verb.global,
            Self::Jobs(verb) => &verb.global,
            Self::Schedules(verb) => &verb.global,
            Self::Models(verb) => &verb.global,
            Self::Datasets(verb) => &verb.global,
            Self::Predict(verb) => &verb.global,
        }
    }
}

/// Carries a verb out and turns its end into an exit status; see [`EXIT_CODES`].
pub async fn execute(command: ClientCommand) -> ExitCode {
    let output = Output { json: command.global().json };
    match run(command, output).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if let ClientError::Refused(refusal) = &error
                && let Some(document) = refusal.document.as_ref().filter(|_| output.json)
            {
                // The server's JSON is its problem document now.
                output.result(document, String::new);
            }
            error.lines().iter().for_each(|line| output.say(line));
            ExitCode::from(error.exit_code())
        }
    }
}

/// Carries a verb out.
///
/// See [`ClientError`].
async fn run(command: ClientCommand, output: Output) -> Result<(), ClientError> {
    let server = Server::new(command.global())?;
    match command {
        ClientCommand::Login(verb) => login::run(verb.own, &server, output).await,
        ClientCommand::Passwd(verb) => passwd::run(verb.own, &server, output).await,
        ClientCommand::Users(verb) => users::run(verb.own, &server, output).await,
        ClientCommand::Logout(_) => login::logout(&server, output).await,
        ClientCommand::Train(verb) => train::run(verb.own, &server, output).await,
        ClientCommand::Jobs(verb) => jobs::run(verb.own, &server, output).await,
        ClientCommand::Schedules(verb) => schedules::run(verb.own, &server, output).await,
        ClientCommand::Models(verb) => models::run(verb.own, &server, output).await,
        ClientCommand::Datasets(verb) => datasets::run(verb.own, &server, output).await,
        ClientCommand::Predict(verb) => predict::run(verb.own, &server, output).await,
    }
}
