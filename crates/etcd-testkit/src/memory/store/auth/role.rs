//! Roles and their permissions.
//!
//! A role is two lists of patterns of keys, for reading and for writing. The role `root` is in no list: it always
//! exists, may do everything, and cannot be changed (403).

use serde::Serialize;

use super::{AuthError, ROOT};
use crate::memory::store::Store;
use crate::memory::store::stats::Counted;

/// Patterns of keys, each list as etcd keeps it: `None` shows as `null`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Permissions {
    /// Those for keys; there are no others, but the JSON has this level.
    pub(crate) kv: Patterns,
}

/// What may be read and written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Patterns {
    /// For `GET`, `HEAD` and watches.
    pub(crate) read: Option<Vec<String>>,
    /// For `PUT`, `POST` and `DELETE`. Who may write may not read by that.
    pub(crate) write: Option<Vec<String>>,
}

/// A role, or a change of one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Role {
    /// Its name; one that begins with `_` is left out of the list, as keys are.
    pub(crate) role: String,
    /// What it may do; in a change of a role without meaning.
    pub(crate) permissions: Permissions,
    /// What a change gives. Empty ones are kept and shown, as etcd does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) grant: Option<Permissions>,
    /// What a change takes away; see [`grant`](Self::grant).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) revoke: Option<Permissions>,
}

impl Permissions {
    /// Whether there is no pattern at all: such a grant does not count as one.
    pub(crate) fn is_empty(&self) -> bool {
        [&self.kv.read, &self.kv.write].into_iter().all(|list| list.as_ref().is_none_or(Vec::is_empty))
    }

    /// These and more; one that is there already is refused. Both lists come out sorted and never `null`.
    fn grant(&self, more: &Self) -> Result<Self, AuthError> {
        let read = with(&self.kv.read, &more.kv.read, "read")?;
        let write = with(&self.kv.write, &more.kv.write, "write")?;
        Ok(Self { kv: Patterns { read, write } })
    }

    /// What is not there is no error here, other than for roles of users.
    fn revoke(&self, less: &Self) -> Self {
        let read = without(&self.kv.read, &less.kv.read);
        let write = without(&self.kv.write, &less.kv.write);
        Self { kv: Patterns { read, write } }
    }
}

impl Patterns {
    /// Whether a key, as the raw decoded path, may be read or written. A pattern with `*` at its end means all
    /// keys that begin with the text before it.
    pub(crate) fn allow(&self, key: &[u8], write: bool) -> bool {
        self.list(write).iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(prefix) => key.starts_with(prefix.as_bytes()),
            None => key == pattern.as_bytes(),
        })
    }

    /// The same for a whole subtree: only patterns with `*` count.
    pub(crate) fn allow_recursive(&self, key: &[u8], write: bool) -> bool {
        let mut prefixes = self.list(write).iter().filter_map(|pattern| pattern.strip_suffix('*'));
        prefixes.any(|prefix| key.starts_with(prefix.as_bytes()))
    }

    /// The patterns for writing or reading.
    fn list(&self, write: bool) -> &[String] {
        let list = if write { &self.write } else { &self.read };
        list.as_deref().unwrap_or_default()
    }
}

impl Role {
    /// A role that may do everything.
    pub(crate) fn of_everything(name: &str) -> Self {
        let all = Some(vec!["/*".to_owned()]);
        let kv = Patterns { read: all.clone(), write: all };
        Self { role: name.into(), permissions: Permissions { kv }, grant: None, revoke: None }
    }

    /// Whether a single key may be read or written.
    pub(crate) fn allows(&self, key: &[u8], write: bool) -> bool {
        self.role == ROOT || self.permissions.kv.allow(key, write)
    }

    /// Whether a whole subtree may be read or written.
    pub(crate) fn allows_recursive(&self, key: &[u8], write: bool) -> bool {
        self.role == ROOT || self.permissions.kv.allow_recursive(key, write)
    }

    /// The role with what a change grants, then without what it revokes.
    fn merge(&self, change: &Self) -> Result<Self, AuthError> {
        let mut permissions = self.permissions.clone();
        if let Some(grant) = &change.grant {
            permissions = permissions.grant(grant)?;
        }
        if let Some(revoke) = &change.revoke {
            permissions = permissions.revoke(revoke);
        }
        Ok(Self { role: self.role.clone(), permissions, grant: None, revoke: None })
    }
}

impl Store {
    /// All roles, `root` among them, by name. Names that begin with `_` are hidden, like keys.
    pub(crate) fn list_roles(&mut self, member: usize) -> Vec<Role> {
        self.count_auth_read(member);
        let mut roles: Vec<Role> =
            self.auth.roles.values().filter(|role| !role.role.starts_with('_')).cloned().collect();
        for _ in &roles {
            self.count_get(member, true);
        }
        roles.push(Role::of_everything(ROOT));
        roles.sort_by(|a, b| a.role.cmp(&b.role));
        roles
    }

    /// A role by name; `root` needs no read.
    pub(crate) fn role(&mut self, member: usize, name: &str) -> Result<Role, AuthError> {
        if name == ROOT {
            return Ok(Role::of_everything(ROOT));
        }
        let role = self.auth.roles.get(name).cloned();
        self.count_get(member, role.is_some());
        role.ok_or_else(|| missing(name))
    }

    /// Makes a role. One index, also where nothing is permitted.
    pub(crate) fn create_role(&mut self, role: Role) -> Result<(), AuthError> {
        if role.role == ROOT {
            return Err(is_root());
        }
        self.ensure_auth();
        if self.auth.roles.contains_key(&role.role) {
            self.count_everywhere(Counted::Create, false);
            return Err(AuthError::new(409, format!("Role {} already exists.", role.role)));
        }
        self.auth_step(Counted::Create);
        self.auth.roles.insert(role.role.clone(), role);
        Ok(())
    }

    /// Changes a role. Without any effect it is refused; going from `null` to an empty list is an effect.
    pub(crate) fn update_role(&mut self, change: &Role) -> Result<Role, AuthError> {
        if change.role == ROOT {
            return Err(is_root());
        }
        let old = self.auth.roles.get(&change.role).cloned();
        self.count_everywhere(Counted::Get, old.is_some());
        let old = old.ok_or_else(|| missing(&change.role))?;
        let new = old.merge(change)?;
        if new == old {
            return Err(AuthError::new(400, "Role not updated. Use grant/revoke to update the role."));
        }
        self.auth_step(Counted::Update);
        self.auth.roles.insert(new.role.clone(), new.clone());
        Ok(new)
    }

    /// Deletes a role. Users keep its name, which then means nothing.
    pub(crate) fn delete_role(&mut self, name: &str) -> Result<(), AuthError> {
        if name == ROOT {
            return Err(is_root());
        }
        self.ensure_auth();
        if self.auth.roles.remove(name).is_none() {
            self.count_everywhere(Counted::Delete, false);
            return Err(AuthError::new(404, format!("Role {name} doesn't exist.")));
        }
        self.auth_step(Counted::Delete);
        Ok(())
    }
}

fn missing(name: &str) -> AuthError {
    AuthError::new(404, format!("Role {name} does not exist."))
}

fn is_root() -> AuthError {
    AuthError::new(403, "Cannot modify role root: is root role.")
}

/// A list with more patterns.
fn with(
    old: &Option<Vec<String>>,
    more: &Option<Vec<String>>,
    kind: &str,
) -> Result<Option<Vec<String>>, AuthError> {
    let mut list = old.clone().unwrap_or_default();
    for pattern in more.iter().flatten() {
        if list.contains(pattern) {
            return Err(AuthError::new(409, format!("Granting duplicate {kind} permission {pattern}")));
        }
        list.push(pattern.clone());
    }
    list.sort();
    Ok(Some(list))
}

/// A list without some patterns.
fn without(old: &Option<Vec<String>>, less: &Option<Vec<String>>) -> Option<Vec<String>> {
    let gone = less.as_deref().unwrap_or_default();
    let mut list = old.clone().unwrap_or_default();
    list.retain(|pattern| !gone.contains(pattern));
    list.sort();
    list.dedup();
    Some(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(list: &[&str]) -> Patterns {
        Patterns { read: Some(list.iter().map(|text| (*text).to_owned()).collect()), write: None }
    }

    #[test]
    fn a_star_means_all_that_begins_alike_and_nothing_else_does() {
        let allowed = patterns(&["/x/*", "/y"]);
        for key in ["/x/", "/x/a", "/x/a/b", "/y"] {
            assert!(allowed.allow(key.as_bytes(), false), "{key}");
        }
        for key in ["/x", "/xa", "/y/", "/y/a", ""] {
            assert!(!allowed.allow(key.as_bytes(), false), "{key}");
        }
        assert!(!allowed.allow(b"/y", true));
    }

    #[test]
    fn a_recursive_call_needs_a_star_whose_text_begins_the_key() {
        assert!(!patterns(&["/a/*"]).allow_recursive(b"/a", false));
        assert!(patterns(&["/a*"]).allow_recursive(b"/a", false));
        assert!(patterns(&["/a/*"]).allow_recursive(b"/a/b", false));
        assert!(!patterns(&["/a"]).allow_recursive(b"/a", false));
        assert!(!patterns(&[""]).allow_recursive(b"/a", false));
    }
}
