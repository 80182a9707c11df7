//! The message that `trainyard up` prints when it is ready.

use std::net::SocketAddr;
use std::path::Path;

use crate::components::AdminPassword;
use crate::config::AuthConfig;

/// The facts in the message.
pub struct StartupMessage<'a> {
    /// The address of the server.
    pub address: SocketAddr,
    /// The address of the gRPC server, if it is on.
    pub grpc_address: Option<SocketAddr>,
    /// The data folder.
    pub data_dir: &'a Path,
    /// The settings of authentication.
    pub auth: &'a AuthConfig,
    /// What is known of the administrator's password.
    pub password: AdminPassword,
}

impl StartupMessage<'_> {
    /// Prints the message.
    #[expect(clippy::print_stdout, reason = "the message is for the user of `trainyard up`")]
    pub fn print(&self) {
        let url = format!("http://{}", self.address);
        let email = self.auth.admin_email();
        let sign_in = match &self.password {
            AdminPassword::Generated(password) => format!("{email}\n    password  {password}   (shown only once)"),
            _ if self.auth.skip_auth => "not needed: auth.skip_auth is on".to_owned(),
            AdminPassword::Configured => format!("{email}, with the password in ADMIN_PASSWORD"),
            AdminPassword::Unknown if self.auth.admin_password.is_empty() => {
                format!("{email}, with the password shown at the first start, or the one set later")
            }
            AdminPassword::Unknown => {
                format!("{email}, with its existing password; ADMIN_PASSWORD differs and is ignored")
            }
        };
        let grpc = self.grpc_address.map(|address| format!("    gRPC      {address}\n")).unwrap_or_default();
        println!(
            "\n  Trainyard is ready.\n\n    console   {url}\n    API docs  {url}/docs\n{grpc}    data      {}\n    sign in   {sign_in}\n\n  \
             Next, in another terminal:  trainyard login --url {url}\n  Ctrl-C stops it; queued and running jobs continue at the next start.\n",
            self.data_dir.display()
        );
    }
}
