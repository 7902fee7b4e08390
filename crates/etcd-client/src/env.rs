//! Settings from the environment.

use std::ffi::OsString;
use std::time::Duration;

use etcd_proto::v2::auth::Password;

use crate::{Error, ErrorKind, Result, go_duration};

/// What the environment says; the first variable of a list that is set and not empty wins.
///
/// | meaning | variables |
/// | --- | --- |
/// | endpoints | `ETCDCTL_ENDPOINTS`, `ETCDCTL_ENDPOINT`, `ETCDCTL_PEERS`, `ETCD_SERVERS` |
/// | user and password | `ETCDCTL_USER` (`name[:password]`), `ETCDCTL_PASSWORD`; `ETCDCTL_USERNAME` |
/// | time limits | `ETCDCTL_DIAL_TIMEOUT`, `ETCDCTL_COMMAND_TIMEOUT` |
#[derive(Default)]
pub(crate) struct Environment {
    pub(crate) endpoints: Option<String>,
    pub(crate) user: Option<(String, Password)>,
    pub(crate) dial_timeout: Option<Duration>,
    pub(crate) command_timeout: Option<Duration>,
}

impl Environment {
    /// Reads the variables through `get`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidConfig`], naming the variable and never its content where that is a secret.
    pub(crate) fn read(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self> {
        let variables = Variables::read(variable)?;
        let get = |name: &str| variables.get(name);
        for name in UNSUPPORTED {
            if get(name).is_some_and(|value| value != "false") {
                return Err(invalid(format!("{name} is set, which this client does not support")));
            }
        }
        for name in TLS {
            if get(name).is_some() {
                return Err(Error::new(ErrorKind::TlsUnavailable).with_source(format!("{name} is set")));
            }
        }
        let duration = |name: &str| match get(name) {
            None => Ok(None),
            Some(text) => go_duration::parse(text.trim())
                .map(Some)
                .ok_or_else(|| invalid(format!("{name}={text:?} is no duration such as 5s or 500ms"))),
        };
        Ok(Self {
            endpoints: ENDPOINTS.iter().find_map(|name| get(name)).map(Into::into),
            user: user(&variables)?,
            dial_timeout: duration(DIAL_TIMEOUT)?,
            command_timeout: duration(COMMAND_TIMEOUT)?,
        })
    }
}

/// The variables that are set and not empty.
struct Variables(Vec<(&'static str, String)>);

impl Variables {
    fn read(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self> {
        let mut variables = Vec::new();
        for name in [&ENDPOINTS[..], &USER, &OTHER, &TLS, &UNSUPPORTED].concat() {
            let Some(value) = variable(name) else { continue };
            // Taking it for unset would reach other servers than the user meant.
            let value = value.into_string().map_err(|_| invalid(format!("{name} is not UTF-8")))?;
            if !value.trim().is_empty() {
                variables.push((name, value));
            }
        }
        Ok(Self(variables))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(variable, _)| *variable == name).map(|(_, value)| value.as_str())
    }
}

/// `ETCDCTL_PASSWORD` makes all of `ETCDCTL_USER` the name, as etcdctl reads it.
fn user(variables: &Variables) -> Result<Option<(String, Password)>> {
    let password = variables.get(PASSWORD);
    let Some((variable, user)) = USER.iter().find_map(|name| Some((name, variables.get(name)?))) else {
        return match password {
            None => Ok(None),
            Some(_) => Err(invalid("ETCDCTL_PASSWORD is set without ETCDCTL_USER".into())),
        };
    };
    if let Some(password) = password {
        return Ok(Some((user.into(), password.into())));
    }
    match user.split_once(':') {
        Some((name, password)) => Ok(Some((name.into(), password.into()))),
        None => {
            Err(invalid(format!("{variable} has no password; give name:password or set ETCDCTL_PASSWORD")))
        }
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidConfig).with_source(message)
}

#[cfg(feature = "v2")]
impl crate::v2::ClientBuilder {
    /// Settings by the environment variables that etcdctl (v2 and v3) and the old C client read; of each list
    /// the first that is set wins. What is set on the builder afterwards wins over them.
    ///
    /// | meaning | variables |
    /// | --- | --- |
    /// | endpoints | `ETCDCTL_ENDPOINTS`, `ETCDCTL_ENDPOINT`, `ETCDCTL_PEERS`, `ETCD_SERVERS`; else `127.0.0.1:2379` |
    /// | user and password | `ETCDCTL_USER` (`name[:password]`), `ETCDCTL_PASSWORD`; `ETCDCTL_USERNAME` |
    /// | connect limit | `ETCDCTL_DIAL_TIMEOUT`, as a Go duration such as `2s` |
    /// | call limit | `ETCDCTL_COMMAND_TIMEOUT`, likewise |
    ///
    /// Nothing but this function reads the environment.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidConfig`] for a variable that cannot be read or that asks for what this client cannot
    /// do (`ETCDCTL_DISCOVERY_SRV`, …), [`ErrorKind::TlsUnavailable`] if certificates are set; each names the
    /// variable.
    pub fn from_env() -> Result<Self> {
        Self::from_environment(Environment::read(|name| std::env::var_os(name))?)
    }

    pub(crate) fn from_environment(environment: Environment) -> Result<Self> {
        let Environment { endpoints, user, dial_timeout, command_timeout } = environment;
        let mut builder =
            crate::v2::Client::builder().default_endpoints(endpoints.as_deref().unwrap_or(DEFAULT));
        if let Some((name, password)) = user {
            builder = builder.credentials(name, password);
        }
        if let Some(timeout) = dial_timeout {
            builder = builder.connect_timeout(timeout);
        }
        if let Some(timeout) = command_timeout {
            builder = builder.call_timeout(timeout);
        }
        Ok(builder)
    }
}

const ENDPOINTS: [&str; 4] = ["ETCDCTL_ENDPOINTS", "ETCDCTL_ENDPOINT", "ETCDCTL_PEERS", "ETCD_SERVERS"];
const USER: [&str; 2] = ["ETCDCTL_USER", "ETCDCTL_USERNAME"];
const PASSWORD: &str = "ETCDCTL_PASSWORD";
const DIAL_TIMEOUT: &str = "ETCDCTL_DIAL_TIMEOUT";
const COMMAND_TIMEOUT: &str = "ETCDCTL_COMMAND_TIMEOUT";
const OTHER: [&str; 3] = [PASSWORD, DIAL_TIMEOUT, COMMAND_TIMEOUT];
const TLS: [&str; 6] = [
    "ETCDCTL_CACERT",
    "ETCDCTL_CERT",
    "ETCDCTL_KEY",
    "ETCDCTL_CA_FILE",
    "ETCDCTL_CERT_FILE",
    "ETCDCTL_KEY_FILE",
];
/// Silently leaving these out would reach other servers, or with other rights, than the user meant.
const UNSUPPORTED: [&str; 3] =
    ["ETCDCTL_DISCOVERY_SRV", "ETCDCTL_INSECURE_SKIP_TLS_VERIFY", "ETCDCTL_AUTH_JWT_TOKEN"];
const DEFAULT: &str = "http://127.0.0.1:2379";

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Environment> {
        Environment::read(|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into())
        })
    }

    #[test]
    fn the_first_variable_that_is_set_wins() {
        let both = [("ETCD_SERVERS", "c:4001"), ("ETCDCTL_PEERS", "b"), ("ETCDCTL_ENDPOINTS", " ")];
        assert_eq!(read(&both).unwrap().endpoints.as_deref(), Some("b"));
        assert_eq!(read(&both[..1]).unwrap().endpoints.as_deref(), Some("c:4001"));
        assert_eq!(read(&[]).unwrap().endpoints, None);
    }

    #[test]
    fn what_is_set_afterwards_replaces_the_endpoints_of_the_environment() {
        let builder = || {
            let environment = read(&[("ETCDCTL_ENDPOINTS", "https://a")]).unwrap();
            crate::v2::ClientBuilder::from_environment(environment).unwrap()
        };
        assert!(builder().build().unwrap_err().is_tls_unavailable());
        assert!(builder().endpoints("http://b").build().is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn a_variable_that_is_no_text_is_named_and_not_taken_for_unset() {
        use std::os::unix::ffi::OsStringExt;
        let variable = |name: &str| (name == "ETCDCTL_ENDPOINTS").then(|| OsString::from_vec(vec![0xff]));
        let error = Environment::read(variable).err().unwrap();
        assert!(error.is_invalid_config() && format!("{error:?}").contains("ETCDCTL_ENDPOINTS"));
    }

    #[test]
    fn users_come_in_all_of_etcdctls_forms() {
        let user = |variables: &[(&str, &str)]| read(variables).unwrap().user;
        let alice = Some(("alice".to_owned(), Password::from("p:w")));
        assert_eq!(user(&[("ETCDCTL_USER", "alice:p:w")]), alice);
        assert_eq!(user(&[("ETCDCTL_USERNAME", "alice:p:w")]), alice);
        assert_eq!(user(&[("ETCDCTL_USER", "alice"), ("ETCDCTL_PASSWORD", "p:w")]), alice);
        assert_eq!(user(&[]), None);
    }

    #[test]
    fn what_cannot_be_used_is_named_and_secrets_are_not_shown() {
        for (variables, name) in [
            (vec![("ETCDCTL_DIAL_TIMEOUT", "5")], "ETCDCTL_DIAL_TIMEOUT"),
            (vec![("ETCDCTL_CACERT", "/ca.pem")], "ETCDCTL_CACERT"),
            (vec![("ETCDCTL_DISCOVERY_SRV", "example.org")], "ETCDCTL_DISCOVERY_SRV"),
            (vec![("ETCDCTL_USER", "canary")], "ETCDCTL_USER"),
            (vec![("ETCDCTL_PASSWORD", "canary")], "ETCDCTL_PASSWORD"),
        ] {
            let text = format!("{:?}", read(&variables).err().unwrap());
            assert!(text.contains(name) && !text.contains("canary"), "{text}");
        }
        assert!(read(&[("ETCDCTL_INSECURE_SKIP_TLS_VERIFY", "false")]).is_ok());
    }
}
