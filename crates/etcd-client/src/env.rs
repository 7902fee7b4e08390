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
/// | TLS | `ETCDCTL_CACERT`, `ETCDCTL_CA_FILE`; `ETCDCTL_CERT`, `ETCDCTL_CERT_FILE`; `ETCDCTL_KEY`, `ETCDCTL_KEY_FILE` |
/// | time limits | `ETCDCTL_DIAL_TIMEOUT`, `ETCDCTL_COMMAND_TIMEOUT` |
#[derive(Default)]
pub(crate) struct Environment {
    pub(crate) endpoints: Option<String>,
    pub(crate) user: Option<(String, Password)>,
    pub(crate) dial_timeout: Option<Duration>,
    pub(crate) command_timeout: Option<Duration>,
    pub(crate) files: Option<Files>,
}

/// The files of TLS, as far as they are named.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Files {
    ca: Option<String>,
    /// Certificate and key.
    client: Option<(String, String)>,
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
            files: files(&variables)?,
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

/// Certificate and key come together or not at all.
fn files(variables: &Variables) -> Result<Option<Files>> {
    let set = TLS.iter().find(|name| variables.get(name).is_some());
    let Some(set) = set else { return Ok(None) };
    if cfg!(not(feature = "_tls")) {
        return Err(Error::new(ErrorKind::TlsUnavailable).with_source(format!("{set} is set")));
    }
    let first = |names: &[&str]| names.iter().find_map(|name| variables.get(name)).map(str::to_owned);
    let [new_ca, new_cert, new_key, ca, cert, key] = TLS;
    let client = match (first(&[new_cert, cert]), first(&[new_key, key])) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        (Some(_), None) => return Err(invalid(format!("{new_cert} or {cert} is set without a key"))),
        (None, Some(_)) => return Err(invalid(format!("{new_key} or {key} is set without a certificate"))),
    };
    Ok(Some(Files { ca: first(&[new_ca, ca]), client }))
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
    /// | trusted CA | `ETCDCTL_CACERT`, `ETCDCTL_CA_FILE` |
    /// | client certificate | `ETCDCTL_CERT`, `ETCDCTL_CERT_FILE`, with `ETCDCTL_KEY`, `ETCDCTL_KEY_FILE` |
    /// | connect limit | `ETCDCTL_DIAL_TIMEOUT`, as a Go duration such as `2s` |
    /// | call limit | `ETCDCTL_COMMAND_TIMEOUT`, likewise |
    ///
    /// The files of TLS are as for [`tls`](Self::tls). With one of them set the default is
    /// `https://127.0.0.1:2379`, and members that are not written with `https://` are refused by
    /// [`build`](Self::build): they would be reached in plain text.
    ///
    /// Nothing but this function reads the environment.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidConfig`] for a variable that cannot be read or that asks for what this client cannot
    /// do (`ETCDCTL_DISCOVERY_SRV`, …), [`ErrorKind::TlsUnavailable`] if files of TLS are set in a build without
    /// it; each names the variable.
    pub fn from_env() -> Result<Self> {
        Self::from_variables(|name| std::env::var_os(name))
    }

    /// Settings by the variables of [`from_env`](Self::from_env), from wherever `variable` takes them: for programs
    /// whose own options stand above the environment, one by one, and for tests.
    ///
    /// ```
    /// use etcd_client::v2::ClientBuilder;
    ///
    /// // An option `--user` with the password of the environment.
    /// let user = Some("alice");
    /// let builder = ClientBuilder::from_variables(|name| match name {
    ///     "ETCDCTL_USER" if user.is_some() => user.map(Into::into),
    ///     other => std::env::var_os(other),
    /// });
    /// # drop(builder);
    /// ```
    ///
    /// # Errors
    /// As [`from_env`](Self::from_env).
    pub fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self> {
        Self::from_environment(Environment::read(variable)?)
    }

    pub(crate) fn from_environment(environment: Environment) -> Result<Self> {
        let Environment { endpoints, user, dial_timeout, command_timeout, files } = environment;
        let default = if files.is_some() { DEFAULT_HTTPS } else { DEFAULT };
        let mut builder = crate::v2::Client::builder().default_endpoints(endpoints, default);
        if let Some((name, password)) = user {
            builder = builder.credentials(name, password);
        }
        if let Some(timeout) = dial_timeout {
            builder = builder.connect_timeout(timeout);
        }
        if let Some(timeout) = command_timeout {
            builder = builder.call_timeout(timeout);
        }
        #[cfg(feature = "_tls")]
        if let Some(Files { ca, client }) = files {
            let mut tls = crate::TlsConfig::new();
            if let Some(ca) = ca {
                tls = tls.ca_file(ca);
            }
            if let Some((certificate, key)) = client {
                tls = tls.client_cert_files(certificate, key);
            }
            builder = builder.tls(tls);
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
const DEFAULT_HTTPS: &str = "https://127.0.0.1:2379";

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
            let environment = read(&[("ETCDCTL_ENDPOINTS", "a:")]).unwrap();
            crate::v2::ClientBuilder::from_environment(environment).unwrap()
        };
        assert!(builder().build().unwrap_err().is_invalid_config());
        assert!(builder().endpoints("http://b").build().is_ok());
    }

    #[test]
    fn a_builder_has_endpoints_if_the_environment_or_the_caller_names_some() {
        let builder = |variables: &[(&str, &str)]| {
            crate::v2::ClientBuilder::from_environment(read(variables).unwrap()).unwrap()
        };
        assert!(!builder(&[]).has_endpoints() && builder(&[]).build().is_ok());
        assert!(!builder(&[("ETCDCTL_PEERS", " ")]).has_endpoints());
        assert!(builder(&[("ETCDCTL_PEERS", "a")]).has_endpoints());
        assert!(builder(&[]).endpoints("a").has_endpoints());
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
    fn variables_may_come_from_anywhere() {
        let builder = |endpoints: &'static str| {
            let list = move |name: &str| (name == "ETCDCTL_ENDPOINTS").then(|| endpoints.into());
            crate::v2::ClientBuilder::from_variables(list).unwrap()
        };
        let client = builder("a:1, b:2").build().unwrap();
        assert_eq!(client.endpoints().unwrap().len(), 2);
        assert!(builder("a:").build().unwrap_err().is_invalid_config());
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

    #[cfg(feature = "_tls")]
    #[test]
    fn files_of_tls_come_by_the_names_of_either_etcdctl() {
        let files = Files { ca: Some("/ca".into()), client: Some(("/cert".into(), "/key".into())) };
        for [ca, cert, key] in [[TLS[0], TLS[1], TLS[2]], [TLS[3], TLS[4], TLS[5]]] {
            let environment = read(&[(ca, "/ca"), (cert, "/cert"), (key, "/key")]).unwrap();
            assert_eq!(environment.files.as_ref(), Some(&files));
        }
        assert!(read(&[]).unwrap().files.is_none());
    }

    #[cfg(feature = "_tls")]
    #[test]
    fn files_of_tls_are_used_and_never_beside_plain_text() {
        let build = |variables: &[(&str, &str)]| {
            let environment = read(variables).unwrap();
            crate::v2::ClientBuilder::from_environment(environment).unwrap().build().unwrap_err()
        };
        let text = format!("{:?}", build(&[("ETCDCTL_CACERT", "/no/such/ca.pem")]));
        assert!(text.contains("/no/such/ca.pem"), "{text}");
        let text =
            format!("{:?}", build(&[("ETCDCTL_CACERT", "/ca.pem"), ("ETCDCTL_ENDPOINTS", "http://a")]));
        assert!(text.contains("http://a:2379") && text.contains("not https"), "{text}");
    }

    #[test]
    fn what_cannot_be_used_is_named_and_secrets_are_not_shown() {
        for (variables, name) in [
            (vec![("ETCDCTL_DIAL_TIMEOUT", "5")], "ETCDCTL_DIAL_TIMEOUT"),
            #[cfg(not(feature = "_tls"))]
            (vec![("ETCDCTL_CACERT", "/ca.pem")], "ETCDCTL_CACERT"),
            #[cfg(feature = "_tls")]
            (vec![("ETCDCTL_KEY", "/key.pem")], "ETCDCTL_KEY"),
            #[cfg(feature = "_tls")]
            (vec![("ETCDCTL_CERT_FILE", "/cert.pem"), ("ETCDCTL_CACERT", "/ca")], "ETCDCTL_CERT_FILE"),
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
