//! The server: one key, by the rules of etcd v2.

use crate::settings::Settings;
use crate::state::{Key, Kind, Rule, State, Version, Write};

/// What a request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// The key as it is now; as it was, if it was deleted.
    Done(Key),
    Got(Option<Key>),
    Exists,
    CompareFailed,
    NotFound,
    Unknown,
}

impl State {
    /// Carries out a write.
    pub(crate) fn write(&mut self, settings: &Settings, write: Write) -> Reply {
        let blind = match write.kind {
            Kind::Nominate => settings.nominate_without_compare,
            Kind::Confirm => settings.confirm_without_compare,
            Kind::TakeOver | Kind::Renew | Kind::Resign => false,
        };
        match self.key {
            None if write.kind != Kind::Nominate && !blind => return Reply::NotFound,
            Some(_) if write.kind == Kind::Nominate && !blind => return Reply::Exists,
            Some(key) if write.kind != Kind::Nominate && !blind && write.compare != key.version => {
                return Reply::CompareFailed;
            }
            Some(_) | None => {}
        }
        self.judge(settings, write);
        let before = self.key;
        let key = Key {
            owner: write.client,
            confirmed: matches!(write.kind, Kind::Confirm | Kind::Renew),
            // A blind write is a set, which makes the key anew.
            created: before.filter(|_| !blind).map_or_else(|| self.next_created(), |key| key.created),
            version: Version::New,
            left: settings.ttl(),
        };
        self.key = Some(key).filter(|_| write.kind != Kind::Resign);
        Reply::Done(key)
    }

    /// What may be written over what.
    fn judge(&mut self, settings: &Settings, write: Write) {
        let Some(key) = self.key.filter(|key| key.owner != write.client) else { return };
        if key.confirmed {
            self.broken.insert(Rule::ConfirmedIsFinal);
        } else if settings.fitness[write.client] <= settings.fitness[key.owner] {
            self.broken.insert(Rule::FitterTakesOver);
        }
    }
}
