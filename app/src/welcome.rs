//! What a person reads when `trainyard up` is ready.

use std::net::SocketAddr;
use std::path::Path;

use crate::config::AuthConfig;
use crate::parts::AdminPassword;

/// The facts of one start.
pub struct Welcome<'a> {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where it keeps everything.
    pub data_dir: &'a Path,
    /// Who may sign in.
    pub auth: &'a AuthConfig,
    /// What is known of the administrator's password.
    pub password: AdminPassword,
}

impl Welcome<'_> {
    /// Prints them.
    #[expect(clippy::print_stdout, reason = "the person who typed `trainyard up` reads this")]
    pub fn print(&self) {
        let url = format!("http://{}", self.address);
        let email = self.auth.admin_email();
        let sign_in = match &self.password {
            AdminPassword::MadeUp(password) => format!("{email}\n    password  {password}   (shown this once)"),
            _ if self.auth.skip_auth => "not needed: auth.skip_auth is on".to_owned(),
            AdminPassword::AsSet => format!("{email}, with the password in ADMIN_PASSWORD"),
            AdminPassword::Unknown if self.auth.admin_password.is_empty() => {
                format!("{email}, with the password shown at the first start or set since")
            }
            AdminPassword::Unknown => {
                format!("{email}, with the password it had before: ADMIN_PASSWORD is another one and is not applied")
            }
        };
        println!(
            "\n  Trainyard is ready.\n\n    API       {url}\n    API docs  {url}/docs\n    data      {}\n    sign in   {sign_in}\n\n  \
             Next, in another terminal:  trainyard login --url {url}\n  Ctrl-C stops it; jobs that are queued or running go on at the next start.\n",
            self.data_dir.display()
        );
    }
}
