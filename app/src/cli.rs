//! The command line: the server's roles, a few documents, and the client's verbs.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use trainyard_telemetry::trace;

use crate::client::{ClientCommand, EXIT_CODES};
use crate::config::{self, Config, ConfigError, Flags};
use crate::{documents, healthcheck, roles};

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
    /// Bring the database's schema up to date, and end
    Migrate(Settings),
    /// Give an administrator who can't sign in a one-time password: on the database itself, with the servers' settings
    ResetAdminPassword(ResetAdminPassword),
    /// Print every setting with its default and its meaning
    Config(ConfigArgs),
    /// Print the OpenAPI document
    Openapi,
    /// Print the list of metrics
    Metrics,
    /// Ask a running role whether it is ready: status 0 or 1
    Healthcheck(Healthcheck),
    /// Train one job, told on standard input: what a worker starts
    #[command(hide = true)]
    TrainTask,
    #[command(flatten)]
    Client(Box<ClientCommand>),
}

/// Where settings come from.
#[derive(Debug, Args)]
struct Settings {
    /// A TOML file with settings; `trainyard config` shows what can be in it
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
    /// End, with status 0, after this many jobs [default: worker.max_jobs, 0 for never]
    #[arg(long, value_name = "N")]
    max_jobs: Option<u32>,
}

#[derive(Debug, Args)]
struct Up {
    #[command(flatten)]
    server: Server,
    /// Folder that keeps everything
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
    /// Folder of `trainyard up`, which must not be running
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

/// Wrong usage or settings.
const USAGE: u8 = 2;

impl Cli {
    /// Does what was asked; the answer is the process's exit status.
    pub fn run(self) -> ExitCode {
        match self.command {
            // Before anything else: the child that trains has no business with runtimes, settings or logs.
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
            Command::Inference(server) => serve("inference", &server.settings, &server.flags(), roles::inference),
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

/// Reads the settings, starts logging, tracing and a runtime, and runs a role to its end.
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
    let (runtime, flush_limit) = (runtime(), config.traces.flush_limit());
    let outcome = runtime.block_on(role(config));
    runtime.block_on(trace::flush(flush_limit));
    // Blocking work that is still under way (a password being hashed) must not hold up the end.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => match error.downcast_ref::<ConfigError>() {
            Some(error) => refuse(error),
            None => {
                say(&format!("trainyard: {error:#}"));
                ExitCode::FAILURE
            }
        },
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("the system gives threads and an epoll handle")
}

fn refuse(error: &ConfigError) -> ExitCode {
    say(&format!("trainyard: {error}"));
    ExitCode::from(USAGE)
}

#[expect(clippy::print_stderr, reason = "a command line talks to its terminal")]
fn say(line: &str) {
    if std::io::stderr().is_terminal() {
        eprintln!("\u{1b}[31m{line}\u{1b}[0m");
    } else {
        eprintln!("{line}");
    }
}

#[expect(clippy::print_stdout, reason = "printing is what was asked for")]
fn print(text: String) -> ExitCode {
    print!("{text}");
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}
