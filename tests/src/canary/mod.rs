//! A password that must be found nowhere: a whole run of the tests with it on every client.
//!
//! `cargo xtask secrets` draws a password, hands it to the tests in the environment variable
//! `ETCD_TEST_CANARY` as `user:password`, and searches all that they print. With the variable set, [`builder`] gives
//! each client those credentials, which a server without authentication passes over, and has the process tell all
//! it can to stderr: every span and event of every crate, each typed request in Debug, and each error with its
//! whole chain.

mod listen;
mod needles;
mod scan;
mod tell;

use std::env;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use etcd_client::v2::{Client, ClientBuilder};

pub use needles::Needles;
pub use scan::{Hit, Scan};
pub use tell::{Tell, TellLayer};

/// The user and the password of a run.
#[derive(Clone)]
pub struct Canary {
    user: String,
    password: String,
}

/// A client's builder: one with nothing set, but in a run that looks for the canary.
pub fn builder() -> ClientBuilder {
    let Some(canary) = Canary::of_this_run() else { return Client::builder() };
    Client::builder().credentials(&canary.user, canary.password.as_str()).operation_layer(TellLayer)
}

/// A password for a user of a test: `usual`, or the canary and `usual` in a run that looks for it.
pub fn password(usual: &str) -> String {
    match Canary::of_this_run() {
        None => usual.to_owned(),
        Some(canary) => canary.password.clone() + usual,
    }
}

impl Canary {
    /// A fresh one. It has characters that forms, headers and URLs escape, behind a part that none does.
    pub fn draw() -> Self {
        let password = format!("c4n4ry{:016x}:+ü/", fastrand::u64(..));
        Self { user: "canary-user".to_owned(), password }
    }

    /// That of this run, if it looks for one. All that this process says from then on is printed to stderr.
    pub fn of_this_run() -> Option<&'static Self> {
        static CANARY: LazyLock<Option<Canary>> = LazyLock::new(|| {
            let text = env::var(VARIABLE).ok()?;
            let (user, password) = text.split_once(':')?;
            listen::to_everything();
            Some(Canary { user: user.to_owned(), password: password.to_owned() })
        });
        CANARY.as_ref()
    }

    /// The environment variable that makes it the canary of another process.
    pub fn variable(&self) -> (&'static str, String) {
        (VARIABLE, format!("{}:{}", self.user, self.password))
    }

    /// The header that has it, in lower case.
    pub(crate) fn header(&self) -> String {
        let pair = STANDARD.encode(format!("{}:{}", self.user, self.password));
        format!("authorization: basic {pair}").to_lowercase()
    }

    /// The user's name, which may be printed.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The password.
    pub fn password(&self) -> &str {
        &self.password
    }
}

impl std::fmt::Debug for Canary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Canary").field("user", &self.user).finish_non_exhaustive()
    }
}

const VARIABLE: &str = "ETCD_TEST_CANARY";
/// What marks a line with the canary that is there on purpose.
pub const CONTROL: &str = "canary control:";
/// What marks that a request with the canary has arrived.
pub const ARRIVED: &str = "canary arrived at a server";
