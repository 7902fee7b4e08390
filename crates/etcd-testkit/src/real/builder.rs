//! Starting a server.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use super::auth::{Auth, Guest};
use super::binary::Binary;
use super::error::{Error, ErrorKind, Result};
use super::member::{Member, Plan};
use super::port;
use super::ready::{self, Probe};
use super::server::Server;
#[cfg(feature = "tls")]
use super::tls::{Certificates, Tls};

/// Settings of a [`Server`] that is to be started.
#[derive(Clone, Debug)]
#[must_use = "a server runs only once it is started"]
pub struct ServerBuilder {
    binary: Binary,
    members: usize,
    v2: bool,
    root_password: Option<Password>,
    guest: Guest,
    lifetime: Option<Duration>,
    start_limit: Duration,
    args: Vec<OsString>,
    #[cfg(feature = "tls")]
    tls: Option<Tls>,
}

/// There are none without TLS.
#[cfg(not(feature = "tls"))]
pub(super) type Certificates = std::convert::Infallible;

/// Not printed.
#[derive(Clone)]
struct Password(String);

// === impl ServerBuilder ===

impl ServerBuilder {
    pub(super) fn new(binary: Binary) -> Self {
        Self {
            binary,
            members: 1,
            v2: true,
            root_password: None,
            guest: Guest::AsEtcdMakesIt,
            lifetime: None,
            start_limit: START_LIMIT,
            args: Vec::new(),
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// How many members form the cluster; default 1, at least 1.
    pub fn members(mut self, count: usize) -> Self {
        self.members = count;
        self
    }

    /// Leaves out `--enable-v2`, so that the server has no v2 API; default: it has.
    pub fn without_v2(mut self) -> Self {
        self.v2 = false;
        self
    }

    /// Creates the user `root` with this password and enables v2 authentication; default: off.
    ///
    /// etcd then gives requests without credentials the role `guest`, which may read and write every key.
    pub fn auth(mut self, root_password: impl Into<String>) -> Self {
        self.root_password = Some(Password(root_password.into()));
        self
    }

    /// Speaks TLS with clients, and nothing else; default: plain text.
    ///
    /// The certificates lie in the server's directory, see [`Server::certificates`]. For its own questions the
    /// harness has a port in plain text, which the server tells nobody.
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Deletes the role `guest`, so that every request needs credentials; only together with
    /// [`auth`](Self::auth).
    pub fn without_guest(mut self) -> Self {
        self.guest = Guest::Removed;
        self
    }

    /// Kills the whole server this long after it got ready, and keeps it from being restarted; default: never.
    ///
    /// A task of the runtime that starts the server does this: it is late if the runtime is blocked, and does not
    /// happen if the runtime ends before.
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// How long a start or restart may take until every member answers; default 30 s.
    pub fn start_limit(mut self, limit: Duration) -> Self {
        self.start_limit = limit;
        self
    }

    /// Gives each member one more command-line argument, such as `--snapshot-count=100`; may be repeated.
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Starts the members and waits until each answers: `GET /health` says healthy and `GET /v2/keys` is 200.
    ///
    /// Ports are picked anew, up to 5 times, if another process takes one before etcd does.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for no members, `auth` without the v2 API or with an empty password, or
    /// `without_guest` without `auth`; [`ErrorKind::Start`] if a process ends at once; [`ErrorKind::NotReady`] if
    /// one does not answer in time; [`ErrorKind::Auth`] if authentication could not be enabled. The text has the
    /// last lines of the member's log.
    ///
    /// # Cancel safety
    ///
    /// After a drop nothing runs and nothing is left.
    pub async fn start(self) -> Result<Server> {
        let auth = self.checked_auth()?;
        let deadline = Instant::now() + self.start_limit;
        let mut server = self.start_members(auth.as_ref(), deadline).await?;
        if let Some(auth) = auth {
            auth.enable(server.members(), deadline).await?;
        }
        if let Some(lifetime) = self.lifetime {
            server.end_after(lifetime);
        }
        Ok(server)
    }

    fn checked_auth(&self) -> Result<Option<Auth>> {
        let refuse = |what: &str| Err(Error::new(ErrorKind::Config, what));
        if self.members == 0 {
            return refuse("a server has at least one member");
        }
        match &self.root_password {
            None if self.guest == Guest::Removed => refuse("`without_guest` needs `auth`"),
            None => Ok(None),
            Some(_) if !self.v2 => refuse("`auth` is that of the v2 API, which `without_v2` leaves out"),
            Some(Password(password)) if password.is_empty() => refuse("etcd takes no empty password"),
            Some(Password(password)) => Ok(Some(Auth::new(password.clone(), self.guest))),
        }
    }

    async fn start_members(&self, auth: Option<&Auth>, deadline: Instant) -> Result<Server> {
        let mut tries = 1;
        loop {
            let server = self.launch(auth)?;
            let members: Vec<_> = server.members().iter().collect();
            match ready::wait(&members, deadline).await {
                Ok(()) => return Ok(server),
                Err(_) if tries < PORT_TRIES && members.iter().any(|member| member.port_was_taken()) => {
                    tries += 1
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Starts the processes with fresh ports and data directories, and returns at once.
    fn launch(&self, auth: Option<&Auth>) -> Result<Server> {
        let directory = tempfile::Builder::new().prefix("etcd-testkit-").tempdir().map_err(no_directory)?;
        let certificates = self.certificates(directory.path())?;
        let ports = port::pick(3 * self.members)?;
        let (client_ports, ports) = ports.split_at(self.members);
        let (peer_ports, harness_ports) = ports.split_at(self.members);
        let token = directory.path().file_name().unwrap_or_default().to_string_lossy();
        let token = token.trim_start_matches("etcd-testkit-");
        let names: Vec<_> = (0..self.members).map(|index| format!("m{index}-{token}")).collect();
        let cluster: Vec<_> = names
            .iter()
            .zip(peer_ports)
            .map(|(name, port)| format!("{name}=http://127.0.0.1:{port}"))
            .collect();
        let cluster = cluster.join(",");

        let mut members = Vec::with_capacity(self.members);
        let ports = client_ports.iter().zip(peer_ports).zip(harness_ports);
        for (name, ((client_port, peer_port), harness_port)) in names.into_iter().zip(ports) {
            let mut client_authority = format!("127.0.0.1:{client_port}");
            let mut client_url = format!("http://{client_authority}");
            if certificates.is_some() {
                client_url = format!("https://{client_authority}");
                client_authority = format!("127.0.0.1:{harness_port}");
            }
            let peer_url = format!("http://127.0.0.1:{peer_port}");
            let data = directory.path().join(&name);
            let mut args = self.command_line(&name, &client_url, &peer_url, &cluster, token, &data);
            if let Some(certificates) = &certificates {
                args.extend(self.tls_flags(certificates, &client_url, &client_authority));
            }
            let log = directory.path().join(format!("{name}.log"));
            let probe = Probe { v2: self.v2, authorization: auth.map(Auth::authorization) };
            let (binary, start_limit) = (self.binary.clone(), self.start_limit);
            members.push(Member::new(Plan {
                name,
                client_authority,
                client_url,
                peer_url,
                binary,
                args,
                log,
                probe,
                start_limit,
            }));
        }
        let server = Server::new(self.binary.version(), members, self.start_limit, directory, certificates);
        server.members().iter().try_for_each(Member::launch)?;
        Ok(server)
    }

    #[cfg(feature = "tls")]
    fn certificates(&self, directory: &Path) -> Result<Option<Certificates>> {
        self.tls.as_ref().map(|tls| Certificates::create(tls, directory)).transpose()
    }

    #[cfg(not(feature = "tls"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as with the feature")]
    fn certificates(&self, _: &Path) -> Result<Option<Certificates>> {
        Ok(None)
    }

    /// What replaces or is added to the [command line](Self::command_line); of a flag the last counts.
    #[cfg(feature = "tls")]
    fn tls_flags(
        &self,
        certificates: &Certificates,
        client_url: &str,
        harness_authority: &str,
    ) -> Vec<OsString> {
        let urls = format!("{client_url},http://{harness_authority}");
        let mut flags: Vec<OsString> = vec!["--listen-client-urls".into(), urls.into()];
        for (flag, path) in [
            ("--cert-file", certificates.server_cert_path()),
            ("--key-file", certificates.server_key_path()),
            ("--trusted-ca-file", certificates.ca_path()),
        ] {
            flags.extend([flag.into(), path.into()]);
        }
        if self.tls.as_ref().is_some_and(Tls::asks_for_client_cert) {
            flags.push("--client-cert-auth".into());
        }
        flags
    }

    #[cfg(not(feature = "tls"))]
    #[expect(clippy::unused_self, reason = "as with the feature")]
    fn tls_flags(&self, certificates: &Certificates, _: &str, _: &str) -> Vec<OsString> {
        match *certificates {}
    }

    fn command_line(
        &self,
        name: &str,
        client_url: &str,
        peer_url: &str,
        cluster: &str,
        token: &str,
        data: &Path,
    ) -> Vec<OsString> {
        let mut args: Vec<OsString> = vec!["--data-dir".into(), data.into()];
        for (flag, value) in [
            ("--name", name),
            ("--listen-client-urls", client_url),
            ("--advertise-client-urls", client_url),
            ("--listen-peer-urls", peer_url),
            ("--initial-advertise-peer-urls", peer_url),
            ("--initial-cluster", cluster),
            ("--initial-cluster-token", token),
            // 3.4 has another one by default, to be rid of in 3.5.
            ("--logger", "zap"),
        ] {
            args.extend([flag.into(), value.into()]);
        }
        if self.v2 {
            args.push("--enable-v2=true".into());
        }
        args.extend(self.args.iter().cloned());
        args
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

fn no_directory(source: std::io::Error) -> Error {
    Error::new(ErrorKind::Start, "no directory for etcd's data").with_source(source)
}

const START_LIMIT: Duration = Duration::from_secs(30);
const PORT_TRIES: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn builder() -> ServerBuilder {
        // Any file will do: these are refused before anything is started.
        Server::builder(Binary::fake())
    }

    #[tokio::test]
    async fn settings_that_contradict_each_other_are_refused() {
        for bad in [
            builder().members(0),
            builder().without_guest(),
            builder().auth("secret").without_v2(),
            builder().auth(""),
        ] {
            assert!(bad.start().await.unwrap_err().is_config());
        }
    }

    #[test]
    fn the_password_is_not_printed() {
        assert!(!format!("{:?}", builder().auth("canary")).contains("canary"));
    }

    #[test]
    fn the_v2_api_is_on_unless_left_out() {
        let line = |builder: ServerBuilder| {
            builder.arg("--snapshot-count=10").command_line("n", "c", "p", "x", "t", Path::new("d"))
        };
        let on: OsString = "--enable-v2=true".into();
        assert!(line(builder()).contains(&on));
        assert!(!line(builder().without_v2()).contains(&on));
        assert_eq!(line(builder()).last(), Some(&"--snapshot-count=10".into()));
    }
}
