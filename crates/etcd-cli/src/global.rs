//! Options that every command takes, before or behind it.

use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::value;

/// Global options.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    // Not a doc comment: rustdoc would take the brackets for links.
    #[arg(
        help = "Servers: URLs, host[:port] or [v6]:port, with commas, semicolons or spaces between; repeatable",
        short,
        long,
        short_alias = 'C',
        visible_alias = "endpoints",
        aliases = ["endpoint", "peers"],
        value_name = "LIST",
        global = true
    )]
    pub(crate) servers: Vec<String>,
    /// Who asks; without a password it is $ETCDCTL_PASSWORD, or asked for on the terminal
    #[arg(short, long, alias = "username", value_name = "NAME[:PASSWORD]", global = true)]
    pub(crate) user: Option<String>,
    /// Sends credentials to other machines in plain text too
    #[arg(long, global = true)]
    pub(crate) allow_plaintext_auth: bool,
    /// CA that https servers must be signed by (PEM)
    #[arg(long, alias = "ca-file", value_name = "FILE", global = true)]
    pub(crate) cacert: Option<std::ffi::OsString>,
    /// Certificate of this client (PEM)
    #[arg(long, alias = "cert-file", value_name = "FILE", global = true)]
    pub(crate) cert: Option<std::ffi::OsString>,
    /// Key of that certificate (PEM)
    #[arg(long = "key", alias = "key-file", value_name = "FILE", global = true)]
    pub(crate) client_key: Option<std::ffi::OsString>,
    /// Limit of each attempt at a server: seconds, or 500ms, 1m30s
    #[arg(long, value_name = "TIME", value_parser = value::duration, global = true)]
    pub(crate) timeout: Option<Duration>,
    /// Limit of each call with all its attempts; not of a watch
    #[arg(long, value_name = "TIME", value_parser = value::duration, global = true)]
    pub(crate) total_timeout: Option<Duration>,
    /// How answers are written
    #[arg(
        short,
        long,
        short_alias = 'o',
        alias = "output",
        value_name = "FORMAT",
        ignore_case = true,
        global = true
    )]
    pub(crate) write_out: Option<Format>,
    /// Tells on standard error what is done: spans, or each request as a curl command (without secrets)
    #[arg(
        long,
        value_name = "WHAT",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "spans",
        global = true
    )]
    pub(crate) debug: Option<Debug>,
    /// No colours, on a terminal either
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
    /// Nothing: members are never asked for their list unless a command is about it
    #[arg(long, hide = true, global = true)]
    pub(crate) no_sync: bool,
}

/// How answers are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// What a script wants: the value, the key
    #[default]
    Simple,
    /// With indexes and ttl, as etcdctl writes it
    Extended,
    /// etcd's own JSON, one document a line
    Json,
    /// In columns
    Table,
}

/// What `--debug` tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Debug {
    /// Calls and attempts, as they end
    Spans,
    /// Each request as a curl command
    Curl,
}
