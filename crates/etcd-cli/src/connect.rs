//! From options and environment to a client.

use std::env;
use std::ffi::{OsStr, OsString};

use etcd_client::v2::{Client, ClientBuilder};
use etcd_client::{Endpoints, RetryConfig};

use crate::failure::{Failure, Result};
use crate::global::{Debug, Global};
use crate::{debug, password};

/// A client of the servers that the options or the environment name. Nothing is sent.
pub(crate) fn client(global: &Global) -> Result<Client> {
    Ok(builder(global, |name| env::var_os(name))?.build()?)
}

/// Its settings.
fn builder(global: &Global, environment: impl Fn(&str) -> Option<OsString>) -> Result<ClientBuilder> {
    let variables = Variables::new(global, &environment)?;
    let mut builder = ClientBuilder::from_variables(|name| variables.get(name))?;
    if !builder.has_endpoints() {
        builder = builder.endpoints(if variables.is_tls() { DEFAULT_HTTPS } else { DEFAULT });
    }
    builder = builder
        .user_agent(concat!("etcd-cli/", env!("CARGO_PKG_VERSION")))
        .allow_plaintext_auth(global.allow_plaintext_auth)
        .retry(RetryConfig::new().max_attempts(Some(ROUNDS * variables.servers())));
    if let Some(limit) = global.timeout {
        builder = builder.attempt_timeout(limit);
    }
    if let Some(limit) = global.total_timeout {
        builder = builder.call_timeout(limit);
    }
    if global.debug == Some(Debug::Curl) {
        builder = builder.endpoint_layer(debug::CurlLayer::new());
    }
    Ok(builder)
}

/// The environment with the options laid over it: each stands for the variable of its meaning.
struct Variables<'a> {
    options: Vec<(&'static str, OsString)>,
    environment: &'a dyn Fn(&str) -> Option<OsString>,
}

impl<'a> Variables<'a> {
    fn new(global: &Global, environment: &'a dyn Fn(&str) -> Option<OsString>) -> Result<Self> {
        let mut options = Vec::new();
        if !global.servers.is_empty() {
            options.push((ENDPOINTS[0], global.servers.join(",").into()));
        }
        for (variable, file) in [
            ("ETCDCTL_CACERT", &global.cacert),
            ("ETCDCTL_CERT", &global.cert),
            ("ETCDCTL_KEY", &global.client_key),
        ] {
            options.extend(file.clone().map(|file| (variable, file)));
        }
        let mut variables = Self { options, environment };
        variables.add_user(global.user.as_deref())?;
        Ok(variables)
    }

    /// A name without password gets that of the environment, or is asked for it.
    fn add_user(&mut self, option: Option<&str>) -> Result<()> {
        let of_environment = || USER.iter().find_map(|name| self.get(name));
        let user = match option {
            Some(user) => user.to_owned(),
            // What is no text the client's own reading complains of.
            None => match of_environment().and_then(|user| user.into_string().ok()) {
                Some(user) => user,
                None => return Ok(()),
            },
        };
        let given = self.get(PASSWORD).filter(|_| option.is_none() || !user.contains(':'));
        let (name, password) = match (given, user.split_once(':')) {
            (Some(password), _) => (user.clone(), password),
            (None, Some((name, password))) => (name.to_owned(), password.into()),
            (None, None) => {
                let password = password::ask(&format!("Password of {user}: "))?;
                (user.clone(), password.into())
            }
        };
        self.options.extend([(USER[0], name.into()), (PASSWORD, password)]);
        Ok(())
    }

    fn get(&self, name: &str) -> Option<OsString> {
        match self.options.iter().find(|(option, _)| *option == name) {
            Some((_, value)) => Some(value.clone()),
            None => (self.environment)(name).filter(|value| !is_blank(value)),
        }
    }

    fn is_tls(&self) -> bool {
        TLS.iter().any(|name| self.get(name).is_some())
    }

    /// How many servers there are to ask; a list that cannot be read the client complains of.
    fn servers(&self) -> usize {
        let list = ENDPOINTS.iter().find_map(|name| self.get(name)).and_then(|list| list.into_string().ok());
        let servers = list.as_deref().unwrap_or(DEFAULT).parse::<Endpoints>();
        servers.map_or(1, |servers| servers.len())
    }
}

fn is_blank(value: &OsStr) -> bool {
    value.to_str().is_some_and(|text| text.trim().is_empty())
}

/// Where there is nobody to ask for a password.
pub(crate) fn no_password(what: &str) -> Failure {
    Failure::usage(format!("{what} has no password, and there is no terminal to ask for it on"))
}

/// So often each server is tried before a command gives up: a script wants to know soon, and an election is over
/// after the pauses between them.
const ROUNDS: usize = 3;
const DEFAULT: &str = "http://127.0.0.1:2379,http://127.0.0.1:4001";
const DEFAULT_HTTPS: &str = "https://127.0.0.1:2379,https://127.0.0.1:4001";
const ENDPOINTS: [&str; 4] = ["ETCDCTL_ENDPOINTS", "ETCDCTL_ENDPOINT", "ETCDCTL_PEERS", "ETCD_SERVERS"];
const USER: [&str; 2] = ["ETCDCTL_USER", "ETCDCTL_USERNAME"];
const PASSWORD: &str = "ETCDCTL_PASSWORD";
const TLS: [&str; 6] = [
    "ETCDCTL_CACERT",
    "ETCDCTL_CERT",
    "ETCDCTL_KEY",
    "ETCDCTL_CA_FILE",
    "ETCDCTL_CERT_FILE",
    "ETCDCTL_KEY_FILE",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints(global: &Global, variables: &[(&str, &str)]) -> Vec<String> {
        let environment =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into());
        let client = builder(global, environment).unwrap().build().unwrap();
        client.endpoints().unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn without_a_word_this_machine_is_asked_at_both_ports() {
        let both = ["http://127.0.0.1:2379", "http://127.0.0.1:4001"];
        assert_eq!(endpoints(&Global::default(), &[]), both);
        assert_eq!(endpoints(&Global::default(), &[("ETCDCTL_ENDPOINTS", " ")]), both);
        assert_eq!(
            endpoints(&Global::default(), &[("ETCD_SERVERS", "a;b:1")]),
            ["http://a:2379", "http://b:1"]
        );
        let variables = |name: &str| (name == "ETCDCTL_CACERT").then(|| "ca".into());
        assert!(Variables::new(&Global::default(), &variables).unwrap().is_tls());
    }

    #[test]
    fn options_stand_above_the_environment_one_by_one() {
        let servers = Global { servers: vec!["c".into(), "d:1, e".into()], ..Global::default() };
        let environment = [("ETCDCTL_ENDPOINTS", "a"), ("ETCD_SERVERS", "b")];
        assert_eq!(endpoints(&servers, &environment), ["http://c:2379", "http://d:1", "http://e:2379"]);
        let files = Global { cert: Some("mine".into()), ..Global::default() };
        let environment = |name: &str| name.starts_with("ETCDCTL_").then(|| "theirs".into());
        let variables = Variables::new(&files, &environment).unwrap();
        assert_eq!(variables.get("ETCDCTL_CERT"), Some("mine".into()));
        assert_eq!(variables.get("ETCDCTL_KEY"), Some("theirs".into()));
    }

    #[test]
    fn a_user_takes_the_password_that_stands_nearest() {
        let user = |option: Option<&str>, variables: &[(&str, &str)]| {
            let environment =
                |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into());
            let global = Global { user: option.map(Into::into), ..Global::default() };
            let variables = Variables::new(&global, &environment).unwrap();
            let text = |name| variables.get(name).map(|value| value.into_string().unwrap());
            (text("ETCDCTL_USER"), text("ETCDCTL_PASSWORD"))
        };
        let is = |name: &str, password: &str| (Some(name.to_owned()), Some(password.to_owned()));
        let environment = [("ETCDCTL_USER", "e"), ("ETCDCTL_PASSWORD", "p:w")];
        assert_eq!(user(None, &environment), is("e", "p:w"));
        assert_eq!(user(Some("o"), &environment), is("o", "p:w"));
        assert_eq!(user(Some("o:q:r"), &environment), is("o", "q:r"));
        assert_eq!(user(None, &[("ETCDCTL_USERNAME", "e:q")]), is("e", "q"));
        assert_eq!(user(None, &[]), (None, None));
    }
}
