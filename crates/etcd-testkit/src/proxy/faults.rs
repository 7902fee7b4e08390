//! The rules of a running proxy.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{Method, Uri};

use super::{ConnectionFault, ConnectionRule, Fault, Rule};

/// The rules of a running proxy. Cheap to clone; all clones steer the same proxy.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    rules: Arc<Mutex<Rules>>,
}

#[derive(Debug, Default)]
struct Rules {
    requests: Vec<Rule>,
    connections: Vec<ConnectionRule>,
}

impl Faults {
    /// Adds a rule for requests behind the others.
    pub fn add(&self, rule: Rule) {
        self.lock().requests.push(rule);
    }

    /// Adds a rule for connections that are yet to be taken.
    pub fn add_connection(&self, rule: ConnectionRule) {
        self.lock().connections.push(rule);
    }

    /// Replaces all rules for requests by these.
    pub fn set(&self, rules: impl IntoIterator<Item = Rule>) {
        let rules = rules.into_iter().collect();
        self.lock().requests = rules;
    }

    /// Removes all rules. A request or connection that has met its fault keeps it.
    pub fn clear(&self) {
        *self.lock() = Rules::default();
    }

    /// The fault that a request meets. Every rule counts it.
    pub(super) fn choose(&self, method: &Method, uri: &Uri) -> Option<Fault> {
        let mut chosen = None;
        for rule in &mut self.lock().requests {
            let fault = rule.meets(method, uri);
            chosen = chosen.or_else(|| fault.cloned());
        }
        chosen
    }

    /// The faults that a new connection meets.
    pub(super) fn of_connection(&self) -> Vec<ConnectionFault> {
        self.lock().connections.iter_mut().filter_map(|rule| rule.meets().cloned()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Rules> {
        // Each change is one assignment or push, so a panic elsewhere leaves nothing half done.
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_whose_turn_it_is_wins_and_all_count() {
        let faults = Faults::default();
        faults.add(Rule::new(Fault::Hang).nth(2));
        faults.add(Rule::new(Fault::DropAnswer).first(2));
        let mut met = std::iter::repeat_with(|| faults.choose(&Method::GET, &Uri::from_static("/")));
        assert_eq!(met.next(), Some(Some(Fault::DropAnswer)));
        assert_eq!(met.next(), Some(Some(Fault::Hang)));
        assert_eq!(met.next(), Some(None));
    }
}
