//! The configuration of the moment: read again when a file has changed.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use etcd_proto::BoxError;
use http::Uri;
use tokio::time::Instant;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use super::build::build;
use super::config::TlsConfig;
use super::material::{Source, Stamp};
use crate::{Error, ErrorKind};

/// Gives each new connection the configuration that the files of the moment make. Clones share it.
#[derive(Clone)]
pub(crate) struct TlsSource(Arc<Inner>);

struct Inner {
    settings: TlsConfig,
    server_name: Option<ServerName<'static>>,
    /// Under a short lock, never across an await or a read of a file.
    state: Mutex<State>,
}

struct State {
    current: Arc<ClientConfig>,
    /// Of the files that `current` was made of.
    stamps: Vec<Stamp>,
    /// When the files were last looked at.
    looked: Instant,
    /// Whether it has been said that the new files cannot be used.
    warned: bool,
}

impl TlsSource {
    /// Reads all files. Blocks.
    ///
    /// # Errors
    /// `InvalidTls`, naming what cannot be used.
    pub(crate) fn new(settings: TlsConfig) -> Result<Self, Error> {
        let name = settings.server_name.clone();
        let server_name = name.map(|name| {
            let parsed = ServerName::try_from(name.clone());
            parsed.map_err(|_| invalid(format!("server name `{name}` is neither a name nor an address")))
        });
        // First the stamps: what changes while it is read is read once more.
        let stamps = stamps(&settings);
        let current = build(&settings).map_err(invalid)?;
        let state = State { current, stamps, looked: Instant::now(), warned: false };
        Ok(Self(Arc::new(Inner {
            settings,
            server_name: server_name.transpose()?,
            state: Mutex::new(state),
        })))
    }

    /// The configuration for a new connection.
    ///
    /// # Cancel safety
    ///
    /// After a drop the files are read all the same.
    pub(crate) async fn current(&self) -> Arc<ClientConfig> {
        if self.0.is_to_look() {
            let inner = Arc::clone(&self.0);
            // A file may lie on a network. If that task fails, the old configuration is as good as before.
            let _ = tokio::task::spawn_blocking(move || inner.look()).await;
        }
        Arc::clone(&self.0.state().current)
    }

    /// The name that the certificate of this server must have.
    pub(crate) fn name_for(&self, uri: &Uri) -> Result<ServerName<'static>, BoxError> {
        if let Some(name) = &self.0.server_name {
            return Ok(name.clone());
        }
        let host = uri.host().unwrap_or_default();
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        ServerName::try_from(host.to_owned()).map_err(|error| format!("host `{host}`: {error}").into())
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        // Each change is one assignment after another of values that are good alone.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the files are to be looked at now; if so, nobody else is told that within a second.
    fn is_to_look(&self) -> bool {
        if !self.settings.sources().any(|source| source.path().is_some()) {
            return false;
        }
        let mut state = self.state();
        let due = state.looked.elapsed() >= LOOK_AGAIN;
        if due {
            state.looked = Instant::now();
        }
        due
    }

    fn look(&self) {
        let stamps = stamps(&self.settings);
        if stamps == self.state().stamps {
            return;
        }
        let built = build(&self.settings);
        let mut state = self.state();
        match built {
            Ok(current) => (state.current, state.stamps, state.warned) = (current, stamps, false),
            // The old stamps stay, so that it is tried again: a file may have been half written.
            Err(reason) if !state.warned => {
                state.warned = true;
                drop(state);
                tracing::warn!(reason, "new TLS files cannot be used, the old ones stay in force");
            }
            Err(_) => {}
        }
    }
}

fn stamps(settings: &TlsConfig) -> Vec<Stamp> {
    settings.sources().map(Source::stamp).collect()
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidTls).detail(message)
}

impl fmt::Debug for TlsSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TlsSource").field(&self.0.settings).finish()
    }
}

/// How long files are not looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
