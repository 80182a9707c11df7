//! The client commands, which use a Trainyard server over its public HTTP API.
//!
//! Each command has a file with its arguments and its implementation. [`server`] sends requests, [`output`] prints
//! results, and [`error`] defines messages and exit statuses. The client never reads the server's settings or database.

mod api_keys;
mod batch;
mod bulk_action;
mod datasets;
mod download;
mod error;
mod events;
mod job_filter;
mod jobs;
mod login;
mod models;
mod output;
mod paging;
mod passwd;
mod predict;
mod predict_dataset;
mod report;
mod schedules;
mod server;
mod session;
mod show;
mod train;
mod trials;
mod users;
mod values;
mod watch;

use std::process::ExitCode;

use clap::{Args, Subcommand};

pub use api_keys::ApiKeysArgs;
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

/// Options of every client command.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Server and output")]
pub struct GlobalArgs {
    /// URL of the server [default: the URL of the session, else http://127.0.0.1:8080].
    #[arg(long, global = true, env = "TRAINYARD_URL")]
    pub url: Option<String>,
    /// URL of the inference role, if it differs from --url.
    #[arg(long, global = true, value_name = "URL", env = "TRAINYARD_INFERENCE_URL")]
    pub inference_url: Option<String>,
    /// Print only the JSON response of the server on standard output.
    #[arg(long, global = true)]
    pub json: bool,
}

/// The arguments of one command with the options of every client command.
#[derive(Debug, Args)]
pub struct WithGlobals<A: Args> {
    #[command(flatten)]
    own: A,
    #[command(flatten)]
    global: GlobalArgs,
}

/// A command without arguments.
#[derive(Debug, Args)]
pub struct NoArgs {}

/// The client commands.
#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    /// Sign in and store the session for later commands.
    Login(WithGlobals<LoginArgs>),
    /// End the session.
    Logout(WithGlobals<NoArgs>),
    /// Change your password.
    Passwd(WithGlobals<PasswdArgs>),
    /// List, invite, disable and delete accounts, reset their passwords.
    Users(WithGlobals<UsersArgs>),
    /// Create, list and delete API keys for scripts and services.
    ApiKeys(WithGlobals<ApiKeysArgs>),
    /// Submit a training job, and watch it with --watch.
    Train(WithGlobals<TrainArgs>),
    /// List, show, cancel and retry training jobs.
    Jobs(WithGlobals<JobsArgs>),
    /// List, create, pause, trigger and delete schedules.
    Schedules(WithGlobals<SchedulesArgs>),
    /// List and show models, move aliases, distribute traffic, delete versions.
    Models(WithGlobals<ModelsArgs>),
    /// List, show, upload and delete datasets.
    Datasets(WithGlobals<DatasetsArgs>),
    /// Predict with a published model.
    Predict(WithGlobals<PredictArgs>),
}

impl ClientCommand {
    fn global(&self) -> &GlobalArgs {
        match self {
            Self::Login(verb) => &verb.global,
            Self::Logout(verb) => &verb.global,
            Self::Passwd(verb) => &verb.global,
            Self::Users(verb) => &verb.global,
            Self::ApiKeys(verb) => &verb.global,
            Self::Train(verb) => &verb.global,
            Self::Jobs(verb) => &verb.global,
            Self::Schedules(verb) => &verb.global,
            Self::Models(verb) => &verb.global,
            Self::Datasets(verb) => &verb.global,
            Self::Predict(verb) => &verb.global,
        }
    }
}

/// Runs a client command and returns its exit status; see [`EXIT_CODES`].
pub async fn execute(command: ClientCommand) -> ExitCode {
    let output = Output { json: command.global().json };
    match run(command, output).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if let ClientError::Refused(refusal) = &error
                && let Some(document) = refusal.document.as_ref().filter(|_| output.json)
            {
                // With `--json` a problem document is the result.
                output.result(document, String::new);
            }
            error.lines().iter().for_each(|line| output.message(line));
            ExitCode::from(error.exit_code())
        }
    }
}

/// Runs a client command.
async fn run(command: ClientCommand, output: Output) -> Result<(), ClientError> {
    let server = Server::new(command.global())?;
    match command {
        ClientCommand::Login(verb) => login::run(verb.own, &server, output).await,
        ClientCommand::Passwd(verb) => passwd::run(verb.own, &server, output).await,
        ClientCommand::Users(verb) => users::run(verb.own, &server, output).await,
        ClientCommand::ApiKeys(verb) => api_keys::run(verb.own, &server, output).await,
        ClientCommand::Logout(_) => login::logout(&server, output).await,
        ClientCommand::Train(verb) => train::run(verb.own, &server, output).await,
        ClientCommand::Jobs(verb) => jobs::run(verb.own, &server, output).await,
        ClientCommand::Schedules(verb) => schedules::run(verb.own, &server, output).await,
        ClientCommand::Models(verb) => models::run(verb.own, &server, output).await,
        ClientCommand::Datasets(verb) => datasets::run(verb.own, &server, output).await,
        ClientCommand::Predict(verb) => predict::run(verb.own, &server, output).await,
    }
}
