//! Users and their roles.
//!
//! A user has whatever its roles have. The names of roles are kept as given: one that does not exist means nothing
//! until it is made. The user `root` has the role `root` whatever was written.

use serde::Serialize;

use super::{AuthError, ROOT, Role};
use crate::memory::store::Store;
use crate::memory::store::stats::Counted;

/// A user; the list of roles as etcd keeps it: `None` shows as `null`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct User {
    /// Its name; one that begins with `_` is left out of the list, as keys are.
    pub(crate) user: String,
    /// As given. Never shown.
    #[serde(skip)]
    pub(crate) password: String,
    /// Names of roles, which need not exist.
    pub(crate) roles: Option<Vec<String>>,
}

/// A change of a user, or a new one.
#[derive(Clone, Debug, Default)]
pub(crate) struct UserChange {
    /// Name, password (empty: as it is) and, for a new user only, roles.
    pub(crate) user: User,
    /// Roles to give. One that it has already is refused (409), and nothing is changed then.
    pub(crate) grant: Vec<String>,
    /// Roles to take away. One that it does not have is refused (409), other than for patterns of roles.
    pub(crate) revoke: Vec<String>,
}

impl Store {
    /// All users by name, each with those of its roles that exist. Names that begin with `_` are hidden.
    pub(crate) fn list_users(&mut self, member: usize) -> Vec<(User, Vec<Role>)> {
        self.count_auth_read(member);
        let users: Vec<User> =
            self.auth.users.values().filter(|user| !user.user.starts_with('_')).cloned().collect();
        users
            .into_iter()
            .map(with_root_role)
            .map(|user| {
                self.count_get(member, true);
                let names = user.roles.clone().unwrap_or_default();
                let roles = names.iter().filter_map(|name| self.role(member, name).ok()).collect();
                (user, roles)
            })
            .collect()
    }

    /// A user by name.
    pub(crate) fn user(&mut self, member: usize, name: &str) -> Result<User, AuthError> {
        let user = self.auth.users.get(name).cloned();
        self.count_get(member, user.is_some());
        user.map(with_root_role).ok_or_else(|| missing(name))
    }

    /// Makes a user or, if there is one and no roles are given, changes its password. Tells whether it is new.
    pub(crate) fn put_user(&mut self, change: UserChange) -> Result<(User, bool), AuthError> {
        let known = self.auth.users.contains_key(&change.user.user);
        self.count_everywhere(Counted::Get, known);
        if known {
            return Ok((self.update_user(&change)?, false));
        }
        Ok((self.create_user(change.user)?, true))
    }

    /// Makes a user: 201, or 200 where roles are given. Without a password it is refused (400).
    pub(crate) fn create_user(&mut self, user: User) -> Result<User, AuthError> {
        let user = with_root_role(user);
        if user.password.is_empty() {
            let message = format!("Cannot create user {} with an empty password", user.user);
            return Err(AuthError::new(400, message));
        }
        self.ensure_auth();
        if self.auth.users.contains_key(&user.user) {
            self.count_everywhere(Counted::Create, false);
            return Err(AuthError::new(409, format!("User {} already exists.", user.user)));
        }
        self.auth_step(Counted::Create);
        self.auth.users.insert(user.user.clone(), user.clone());
        Ok(user)
    }

    /// Changes roles or password. A password always counts as a change: etcd salts its hash anew.
    pub(crate) fn update_user(&mut self, change: &UserChange) -> Result<User, AuthError> {
        let old = self.auth.users.get(&change.user.user).cloned();
        self.count_everywhere(Counted::Get, old.is_some());
        let old = old.map(with_root_role).ok_or_else(|| missing(&change.user.user))?;
        let new = merge(&old, change)?;
        if new == old && change.user.password.is_empty() {
            let message = "User not updated. Use grant/revoke/password to update the user.";
            return Err(AuthError::new(400, message));
        }
        self.auth_step(Counted::Update);
        self.auth.users.insert(new.user.clone(), new.clone());
        Ok(new)
    }

    /// Deletes a user; `root` only while auth is off.
    pub(crate) fn delete_user(&mut self, member: usize, name: &str) -> Result<(), AuthError> {
        if self.auth_enabled(member) && name == ROOT {
            return Err(AuthError::new(403, "Cannot delete root user while auth is enabled."));
        }
        self.ensure_auth();
        if self.auth.users.remove(name).is_none() {
            self.count_everywhere(Counted::Delete, false);
            // Without the full stop of the other answers.
            return Err(AuthError::new(404, format!("User {name} does not exist")));
        }
        self.auth_step(Counted::Delete);
        Ok(())
    }
}

/// The user `root` has the role `root`, whatever was written.
fn with_root_role(mut user: User) -> User {
    if user.user == ROOT && !user.roles.iter().flatten().any(|role| role == ROOT) {
        user.roles.get_or_insert_default().push(ROOT.into());
    }
    user
}

/// The user with what a change grants, then without what it revokes. The list of roles is never `null` then.
fn merge(old: &User, change: &UserChange) -> Result<User, AuthError> {
    let name = &old.user;
    let mut roles = old.roles.clone().unwrap_or_default();
    for role in &change.grant {
        if roles.contains(role) {
            return Err(AuthError::new(409, format!("Granting duplicate role {role} for user {name}")));
        }
        roles.push(role.clone());
    }
    for role in &change.revoke {
        if !roles.contains(role) {
            return Err(AuthError::new(409, format!("Revoking ungranted role {role} for user {name}")));
        }
        roles.retain(|kept| kept != role);
    }
    roles.sort();
    roles.dedup();
    let password = if change.user.password.is_empty() { &old.password } else { &change.user.password };
    Ok(User { user: name.clone(), password: password.clone(), roles: Some(roles) })
}

fn missing(name: &str) -> AuthError {
    AuthError::new(404, format!("User {name} does not exist."))
}
