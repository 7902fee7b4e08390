//! Users, roles and who may do what (2.1 and later).
//!
//! There are no sessions: every request brings a name and a password. Without them it is the guest's, whose role is
//! made when auth is turned on and may do everything until somebody takes that away. With wrong ones it is refused,
//! and never taken for the guest's. Wrong password, unknown user and missing right look the same: 401.
//!
//! Passwords are kept as given: this is no place for secrets. (etcd keeps bcrypt hashes, which makes every
//! request with credentials take 100 ms and more; that is not imitated.)

mod access;
mod credential;
mod role;
mod user;

use std::collections::BTreeMap;

use super::Store;
use super::stats::Counted;

pub(crate) use self::credential::Credentials;
pub(crate) use self::role::{Patterns, Permissions, Role};
pub(crate) use self::user::{User, UserChange};

/// Users, roles and whether they matter.
#[derive(Debug, Default)]
pub(crate) struct Auth {
    /// `None` until the first change of a user or role: etcd makes its directories then, with four indexes.
    enabled: Option<bool>,
    users: BTreeMap<String, User>,
    roles: BTreeMap<String, Role>,
}

/// A refusal: HTTP status and message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AuthError {
    /// The HTTP status.
    pub(crate) status: u16,
    /// What stands in the JSON as `message`; it may name users and roles, never a password.
    pub(crate) message: String,
}

impl AuthError {
    /// A refusal in the words of etcd's auth, which all begin alike.
    pub(crate) fn new(status: u16, message: impl AsRef<str>) -> Self {
        Self { status, message: format!("auth: {}", message.as_ref()) }
    }
}

impl Store {
    /// Counts a read of what etcd keeps users, roles and the switch in: a failed one until that is made.
    pub(crate) fn count_auth_read(&mut self, member: usize) {
        self.count_get(member, self.auth.enabled.is_some());
    }

    /// Whether auth is on. Counts as a read of keys at the member, as in etcd.
    pub(crate) fn auth_enabled(&mut self, member: usize) -> bool {
        self.count_auth_read(member);
        self.auth.enabled == Some(true)
    }

    /// Turns auth on, which needs a user `root` (409); a role `guest` that may do everything is made if there is none.
    pub(crate) fn enable_auth(&mut self, member: usize) -> Result<(), AuthError> {
        if self.auth_enabled(member) {
            return Err(AuthError::new(409, "already enabled"));
        }
        let has_root = self.auth.users.contains_key(ROOT);
        self.count_everywhere(Counted::Get, has_root);
        if !has_root {
            return Err(AuthError::new(409, "No root user available, please create one"));
        }
        let has_guest = self.auth.roles.contains_key(GUEST);
        self.count_everywhere(Counted::Get, has_guest);
        if !has_guest {
            self.create_role(Role::of_everything(GUEST))?;
        }
        self.auth_step(Counted::Update);
        self.auth.enabled = Some(true);
        Ok(())
    }

    /// Turns auth off. Users and roles stay, and count again once it is on.
    pub(crate) fn disable_auth(&mut self, member: usize) -> Result<(), AuthError> {
        if !self.auth_enabled(member) {
            return Err(AuthError::new(409, "already disabled"));
        }
        self.auth_step(Counted::Update);
        self.auth.enabled = Some(false);
        Ok(())
    }

    /// A write of users or roles: one index, and four more the first time.
    fn auth_step(&mut self, counted: Counted) {
        self.ensure_auth();
        self.step(counted);
    }

    /// Makes the four entries that etcd keeps users, roles and the switch in.
    fn ensure_auth(&mut self) {
        if self.auth.enabled.is_none() {
            for _ in 0..4 {
                self.step(Counted::Create);
            }
            self.auth.enabled = Some(false);
        }
    }
}

/// User and role with all rights.
const ROOT: &str = "root";

/// The role of those who say nothing about themselves.
const GUEST: &str = "guest";
