//! The command line: the roles of the server, the printed documents and the client commands.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use trainyard_telemetry::trace;

use crate::client::{ClientCommand, EXIT_CODES};
use crate::config::{self, Config, ConfigError, Flags};
use crate::{allocator, documents, healthcheck, roles};

/// Trainyard: a self-hosted training service for tabular models.
#[derive(Debug, Parser)]
#[command(name = "trainyard", version, subcommand_required = true, arg_required_else_help = true)]
#[command(after_help = format!("{AFTER_HELP}\n\n{EXIT_CODES}"))]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Try it:
  trainyard up                                   everything in one process, in ./data
  trainyard login                                in another terminal, with the password it printed
  trainyard train --algorithm random_forest --features sex,age,pclass --name demo --watch
  trainyard predict --model demo sex=female age=29 pclass=1";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run everything in one process: SQLite, a queue in memory, local files
    Up(Up),
    /// Run the API role
    Api(Server),
    /// Run a worker role
    Worker(Worker),
    /// Run the inference role
    Inference(Server),
    /// Apply the database migrations, and exit
    Migrate(Settings),
    /// Print a one-time password for an administrator who can't sign in; needs the servers' database settings
    ResetAdminPassword(ResetAdminPassword),
    /// Print all settings with their defaults and meanings
    Config(ConfigArgs),
    /// Print the OpenAPI document
    Openapi,
    /// Print the list of metrics
    Metrics,
    /// Exit with status 0 if a running role is ready, else with 1
    Healthcheck(Healthcheck),
    /// Train or predict one job that a worker writes to standard input
    #[command(hide = true)]
    TrainTask,
    #[command(flatten)]
    Client(Box<ClientCommand>),
}

/// The source of the settings.
#[derive(Debug, Args)]
struct Settings {
    /// TOML file with settings; `trainyard config` prints all settings
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Server {
    #[command(flatten)]
    settings: Settings,
    /// Address and port to listen on [default: server.listen, 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
}

#[derive(Debug, Args)]
struct Worker {
    #[command(flatten)]
    server: Server,
    /// Exit with status 0 after this many jobs [default: worker.max_jobs, 0 for never]
    #[arg(long, value_name = "N")]
    max_jobs: Option<u32>,
}

#[derive(Debug, Args)]
struct Up {
    #[command(flatten)]
    server: Server,
    /// Folder for database, artifacts and secrets
    #[arg(long, value_name = "FOLDER", default_value = "./data")]
    data_dir: PathBuf,
}

#[derive(Debug, Args)]
struct ResetAdminPassword {
    #[command(flatten)]
    settings: Settings,
    /// The account's e-mail address [default: auth.admin_email]
    #[arg(long)]
    email: Option<String>,
    /// Data folder of `trainyard up`, which must not be running
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct ConfigArgs {
    /// Print the reference page instead of the file
    #[arg(long)]
    markdown: bool,
}

#[derive(Debug, Args)]
struct Healthcheck {
    /// Base URL of the role
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
}

/// Exit status for wrong usage or settings.
const USAGE: u8 = 2;

impl Cli {
    /// Runs the command and returns the exit status of the process.
    pub fn run(self) -> ExitCode {
        match self.command {
            // First, because the training process needs no runtime, settings or logs.
            Command::TrainTask => trainyard_worker::train_task::main(),
            Command::Config(args) => print(if args.markdown { config::markdown() } else { config::DEFAULT.to_owned() }),
            Command::Openapi => print(documents::openapi()),
            Command::Metrics => print(trainyard_telemetry::catalogue::markdown()),
            Command::Healthcheck(args) => runtime().block_on(healthcheck::run(&args.url)),
            Command::Client(command) => runtime().block_on(crate::client::execute(*command)),
            Command::Migrate(settings) => serve("migrate", &settings, &Flags::new(), roles::migrate),
            Command::ResetAdminPassword(args) => {
                let (email, data_dir) = (args.email, args.data_dir);
                serve("reset-admin-password", &args.settings, &Flags::new(), async |config| {
                    roles::reset_admin_password(config, email, data_dir.as_deref()).await
                })
            }
            Command::Api(server) => serve("api", &server.settings, &server.flags(), roles::api),
            Command::Worker(worker) => serve("worker", &worker.server.settings, &worker.flags(), roles::worker),
            Command::Inference(server) => {
                allocator::forbid_huge_pages();
                serve("inference", &server.settings, &server.flags(), roles::inference)
            }
            Command::Up(up) => {
                let data_dir = up.data_dir;
                serve("up", &up.server.settings, &up.server.flags(), async |config| roles::up(config, &data_dir).await)
            }
        }
    }
}

impl Server {
    fn flags(&self) -> Flags {
        self.listen.iter().map(|listen| ("server.listen", listen.clone().into())).collect()
    }
}

impl Worker {
    fn flags(&self) -> Flags {
        let mut flags = self.server.flags();
        flags.extend(self.max_jobs.map(|jobs| ("worker.max_jobs", jobs.into())));
        flags
    }
}

/// Reads the settings, starts logging, tracing and a runtime, and runs a role until it stops.
fn serve(
    name: &str,
    settings: &Settings,
    flags: &Flags,
    role: impl AsyncFnOnce(Config) -> anyhow::Result<()>,
) -> ExitCode {
    let config = match config::load(settings.config.as_deref(), flags) {
        Ok(config) => config,
        Err(error) => return refuse(&error),
    };
    if let Err(error) = trainyard_telemetry::init_logs(config.log.format, &config.log.filter) {
        return refuse(&ConfigError(format!("log.filter: {error}")));
    }
    if let Err(error) = trace::install(&config.traces, &format!("trainyard-{name}")) {
        return refuse(&ConfigError(error.to_string()));
    }
    let (runtime, flush_timeout) = (runtime(), config.traces.flush_timeout());
    let outcome = runtime.block_on(role(config));
    trace::flush(flush_timeout);
    // A blocking task that still runs, such as the hashing of a password, must not delay the exit.
    runtime.shutdown_background();
    trainyard_telemetry::flush_logs();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => match error.downcast_ref::<ConfigError>() {
            Some(error) => refuse(error),
            None => {
                print_error(&format!("trainyard: {error:#}"));
                ExitCode::FAILURE
            }
        },
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("the operating system provides threads and epoll")
}

fn refuse(error: &ConfigError) -> ExitCode {
    print_error(&format!("trainyard: {error}"));
    ExitCode::from(USAGE)
}

#[expect(clippy::print_stderr, reason = "errors of a command line go to standard error")]
fn print_error(line: &str) {
    if std::io::stderr().is_terminal() {
        eprintln!("\u{1b}[31m{line}\u{1b}[0m");
    } else {
        eprintln!("{line}");
    }
}

#[expect(clippy::print_stdout, reason = "the command prints its result")]
fn print(text: String) -> ExitCode {
    print!("{text}");
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_valid() {
        super::Cli::command().debug_assert();
    }
}
