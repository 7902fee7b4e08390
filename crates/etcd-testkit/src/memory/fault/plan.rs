//! Rules in order.

use http::Request;

use super::{Fault, Rule};

/// Rules in order: a request meets the fault of the first rule whose turn it is.
///
/// Every rule sees and counts every request, also one that meets another rule's fault. A request counts when its
/// head arrives, before its body is read: in the order of [`Log`](crate::memory::Log), and also if its body never
/// comes in whole. What a dead member refuses counts for none.
#[derive(Clone, Debug, Default)]
#[must_use = "a plan does nothing unless a server has it"]
pub struct Plan {
    rules: Vec<Rule>,
}

impl Plan {
    /// A plan without rules: nothing goes wrong.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a rule behind the others.
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    pub(crate) fn push(&mut self, rule: Rule) {
        self.rules.push(rule);
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    /// The fault that a request meets.
    pub(crate) fn choose<B>(&mut self, member: usize, request: &Request<B>) -> Option<Fault> {
        let mut chosen = None;
        for rule in &mut self.rules {
            let fault = rule.meets(member, request);
            chosen = chosen.or_else(|| fault.cloned());
        }
        chosen
    }

    /// Whether no connection to the member is to be had at all.
    pub(crate) fn refuses(&self, member: usize) -> bool {
        self.rules.iter().any(|rule| rule.refuses(member))
    }
}

impl From<Rule> for Plan {
    fn from(rule: Rule) -> Self {
        Self::new().rule(rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_whose_turn_it_is_wins_and_all_count() {
        let mut plan =
            Plan::new().rule(Rule::new(Fault::Hang).nth(2)).rule(Rule::new(Fault::Unavailable).first(2));
        let request = Request::new(());
        let mut faults = std::iter::repeat_with(|| plan.choose(0, &request));
        assert_eq!(faults.next(), Some(Some(Fault::Unavailable)));
        assert_eq!(faults.next(), Some(Some(Fault::Hang)));
        assert_eq!(faults.next(), Some(None));
    }
}
