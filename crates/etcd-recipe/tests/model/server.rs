//! The server: a directory, by the rules of etcd v2.

use crate::settings::{Clocks, Settings};
use crate::state::{Answer, Asked, Key, Name, Rule, State, Write};

impl State {
    /// Carries out a request.
    pub(crate) fn apply(&mut self, settings: &Settings, asked: Asked) -> Answer {
        match asked {
            Asked::Write(write) => self.write(settings, write),
            Asked::Get(name) => Answer::Got(self.key(name).map(|key| (key.created, key.modified))),
            Asked::List => Answer::Listed(self.keys.iter().map(|key| (key.name, key.created)).collect()),
        }
    }

    fn write(&mut self, settings: &Settings, write: Write) -> Answer {
        let Some(at) = self.keys.iter().position(|key| key.name == write.name()) else {
            return match write {
                Write::Create { name } => self.create(settings, name),
                Write::Renew { .. } | Write::Delete { .. } => Answer::NotFound,
            };
        };
        let next = self.next_modified(write.name());
        match write {
            Write::Create { name } if settings.post => self.create(settings, name),
            Write::Create { .. } => Answer::Exists,
            Write::Renew { compare, .. } if compare != self.keys[at].modified => Answer::CompareFailed,
            Write::Renew { token, .. } => {
                let key = &mut self.keys[at];
                key.modified = next;
                key.left = full_ttl(settings);
                let created = key.created;
                if created != token {
                    self.broken.insert(Rule::RenewalOfOwnKeyOnly);
                }
                Answer::Renewed { created, modified: next }
            }
            Write::Delete { compare, .. } if compare != 0 && compare != self.keys[at].modified => {
                Answer::CompareFailed
            }
            Write::Delete { token, .. } => {
                if self.keys.remove(at).created != token {
                    self.broken.insert(Rule::ReleaseOfOwnKeyOnly);
                }
                Answer::Deleted
            }
        }
    }

    fn create(&mut self, settings: &Settings, name: Name) -> Answer {
        let taken = |copy| self.key(Name { copy, ..name }).is_some();
        let copy = if settings.post { (0..).find(|&copy| !taken(copy)).unwrap_or(0) } else { name.copy };
        let created = self.next_created();
        let name = Name { copy, ..name };
        self.keys.push(Key { name, created, modified: created, left: full_ttl(settings) });
        Answer::Created { created, copy }
    }

    /// Whether the key may run out now.
    pub(crate) fn may_run_out(&self, settings: &Settings, key: usize) -> bool {
        match settings.clocks {
            Clocks::Bounded { skew, .. } => self.keys[key].left <= skew,
            Clocks::Wild => true,
        }
    }
}

fn full_ttl(settings: &Settings) -> u8 {
    match settings.clocks {
        Clocks::Bounded { ttl, .. } => ttl,
        Clocks::Wild => 0,
    }
}
