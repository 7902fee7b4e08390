//! Who believed what when, and whether that was right.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::journal::Entry;
use super::said::Said;

/// A process that was stopped (SIGSTOP) and went on.
#[derive(Clone, Debug)]
pub struct Pause {
    /// Which.
    pub who: String,
    /// The number of the token that it held then.
    pub token: u64,
    /// When it was seen to stand still.
    pub stopped: Duration,
    /// Just before it was told to go on.
    pub resumed: Duration,
}

/// What the queue was by quorum, as somebody else saw it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Just before the question.
    pub asked: Duration,
    /// Just after the answer.
    pub answered: Duration,
    /// The tokens of all keys.
    pub tokens: BTreeSet<u64>,
}

/// The beliefs of all contenders for one thing.
#[derive(Clone, Debug, Default)]
pub struct Beliefs {
    /// For each token what its holder has said of it, in order.
    of: BTreeMap<u64, Belief>,
    problems: Vec<String>,
}

#[derive(Clone, Debug)]
struct Belief {
    who: String,
    /// When it was granted, if that was told.
    granted: Option<Duration>,
    checks: Vec<Check>,
}

#[derive(Clone, Copy, Debug)]
struct Check {
    from: Duration,
    to: Duration,
    is_held: bool,
    until: Duration,
}

impl Beliefs {
    /// From all that was said by the contenders for one thing, in any order between them.
    pub fn read(entries: &[Entry]) -> Self {
        let mut beliefs = Self::default();
        for entry in entries {
            beliefs.add(entry);
        }
        beliefs
    }

    /// How many holdings there were.
    pub fn holdings(&self) -> usize {
        self.of.len()
    }

    /// How often a holder was told that it holds.
    pub fn held_checks(&self) -> usize {
        self.of.values().flat_map(|belief| &belief.checks).filter(|check| check.is_held).count()
    }

    /// All that is wrong by itself: a token that two hold, beliefs that overlap, a belief that comes back, or that
    /// outlives what it said of its own end.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = self.problems.clone();
        for (token, belief) in &self.of {
            problems
                .extend(belief.problems().map(|problem| format!("{} with {token} {problem}", belief.who)));
        }
        problems.extend(self.overlaps());
        problems
    }

    /// Pauses behind which the first question was not answered that the holding has ended.
    pub fn missed(&self, pauses: &[Pause]) -> Vec<String> {
        let missed = pauses.iter().filter_map(|Pause { who, token, stopped, resumed }| {
            let first = self.of.get(token)?.checks.iter().find(|check| check.from >= *resumed);
            match first {
                Some(check) if check.is_held => {
                    let late = check.from.saturating_sub(*stopped);
                    Some(format!("{who} still believed in {token} {late:?} after it was stopped"))
                }
                Some(_) => None,
                None => Some(format!("{who} did not check {token} after it went on")),
            }
        });
        missed.collect()
    }

    /// Beliefs in a key that was no longer the first of the queue: the list was answered, and later the holder was
    /// still told that it holds.
    pub fn unfounded(&self, lists: &[Listed]) -> Vec<String> {
        let mut problems = Vec::new();
        for list in lists {
            for (token, belief) in &self.of {
                let was_granted = belief.granted.is_some_and(|granted| granted < list.asked);
                if !was_granted || list.tokens.first() == Some(token) {
                    continue;
                }
                if let Some(check) = belief.last_held().filter(|check| check.from > list.answered) {
                    let late = check.from.saturating_sub(list.answered);
                    problems
                        .push(format!("{} believed in {token} {late:?} after it was not first", belief.who));
                }
            }
        }
        problems
    }

    fn add(&mut self, entry: &Entry) {
        let (token, check) = match entry.said {
            Said::Granted { token, .. } => (token, None),
            Said::Checked { token, from, to, is_held, until } => {
                (token, Some(Check { from, to, is_held, until }))
            }
            Said::Released { .. } | Said::Wrote { .. } | Said::Failed { .. } => return,
        };
        let belief = self.of.entry(token).or_insert_with(|| Belief {
            who: entry.who.clone(),
            granted: None,
            checks: Vec::new(),
        });
        if belief.who != entry.who {
            self.problems.push(format!("{} and {} both have token {token}", belief.who, entry.who));
        }
        belief.checks.extend(check);
        if let Said::Granted { at, .. } = entry.said {
            if belief.granted.is_some() {
                self.problems.push(format!("{} was granted token {token} twice", entry.who));
            }
            belief.granted = Some(at);
        }
    }

    /// Two that believed at once, for certain: from the end of the first good answer to the begin of the last
    /// good question.
    fn overlaps(&self) -> Vec<String> {
        let mut spans: Vec<_> = self.of.iter().filter_map(|(token, belief)| belief.span(*token)).collect();
        spans.sort_unstable();
        let mut problems = Vec::new();
        let mut last: Option<(Duration, u64)> = None;
        for (from, to, token) in spans {
            if let Some((end, other)) = last.filter(|(end, _)| *end > from) {
                let both = end.min(to).saturating_sub(from);
                problems.push(format!("{other} and {token} were both believed in for {both:?}"));
            }
            last = last.max(Some((to, token)));
        }
        problems
    }
}

impl Belief {
    fn problems(&self) -> impl Iterator<Item = &'static str> {
        let held = |check: &Check| check.is_held;
        let comes_back = self.checks.windows(2).any(|pair| !held(&pair[0]) && held(&pair[1]));
        let outlives = self.checks.iter().any(|check| check.is_held && check.from >= check.until);
        let goes_back = self.checks.windows(2).any(|pair| pair[1].from < pair[0].to);
        [
            (comes_back, "believed again after it had lost it"),
            (outlives, "believed beyond its own end"),
            (goes_back, "has said things out of order"),
        ]
        .into_iter()
        .filter_map(|(is_so, problem)| is_so.then_some(problem))
    }

    fn last_held(&self) -> Option<Check> {
        self.checks.iter().rev().find(|check| check.is_held).copied()
    }

    fn span(&self, token: u64) -> Option<(Duration, Duration, u64)> {
        let first = self.checks.iter().find(|check| check.is_held)?;
        let last = self.last_held()?;
        // Of a single check nothing is certain but that it was somewhere in between.
        Some((first.to.min(last.from), last.from, token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn granted(who: &str, token: u64, millis: u64) -> Entry {
        Entry { who: who.to_owned(), said: Said::Granted { token, at: at(millis) } }
    }

    fn checked(who: &str, token: u64, millis: u64, is_held: bool) -> Entry {
        let (from, to) = (at(millis), at(millis + 1));
        let said = Said::Checked { token, from, to, is_held, until: at(10_000) };
        Entry { who: who.to_owned(), said }
    }

    fn list(millis: u64, tokens: &[u64]) -> Listed {
        let tokens = tokens.iter().copied().collect();
        Listed { asked: at(millis), answered: at(millis + 1), tokens }
    }

    #[test]
    fn one_after_the_other_is_fine() {
        let said = [
            granted("a", 7, 0),
            checked("a", 7, 10, true),
            checked("a", 7, 90, true),
            checked("a", 7, 95, false),
            granted("b", 9, 100),
            checked("b", 9, 110, true),
        ];
        let beliefs = Beliefs::read(&said);
        assert_eq!(beliefs.problems(), [""; 0]);
        assert_eq!((beliefs.holdings(), beliefs.held_checks()), (2, 3));
        let pause = Pause { who: "a".to_owned(), token: 7, stopped: at(91), resumed: at(94) };
        assert_eq!(beliefs.missed(&[pause]), [""; 0]);
        assert_eq!(beliefs.unfounded(&[list(20, &[7, 9]), list(96, &[9]), list(105, &[9, 12])]), [""; 0]);
    }

    #[test]
    fn two_who_believe_at_once_are_found_in_whatever_order_they_were_heard() {
        let mut said = vec![
            granted("a", 7, 0),
            checked("a", 7, 10, true),
            checked("a", 7, 200, true),
            granted("b", 9, 100),
            checked("b", 9, 110, true),
            checked("b", 9, 120, true),
        ];
        assert_eq!(Beliefs::read(&said).problems(), ["7 and 9 were both believed in for 9ms"]);
        said.reverse();
        assert!(!Beliefs::read(&said).problems().is_empty());
    }

    #[test]
    fn an_overlap_behind_a_short_belief_is_found() {
        let said = [
            checked("a", 7, 0, true),
            checked("a", 7, 500, true),
            checked("b", 9, 10, true),
            checked("b", 9, 20, true),
            checked("c", 11, 300, true),
            checked("c", 11, 310, true),
        ];
        assert_eq!(Beliefs::read(&said).problems().len(), 2);
    }

    #[test]
    fn a_belief_that_comes_back_or_outlives_its_end_is_found() {
        let back = [checked("a", 7, 0, true), checked("a", 7, 5, false), checked("a", 7, 9, true)];
        assert_eq!(Beliefs::read(&back).problems(), ["a with 7 believed again after it had lost it"]);
        let late = [checked("a", 7, 10_000, true)];
        assert_eq!(Beliefs::read(&late).problems(), ["a with 7 believed beyond its own end"]);
    }

    #[test]
    fn a_token_that_two_have_or_that_is_granted_twice_is_found() {
        assert_eq!(
            Beliefs::read(&[granted("a", 7, 0), granted("b", 7, 5)]).problems(),
            ["a and b both have token 7", "b was granted token 7 twice"]
        );
    }

    #[test]
    fn the_first_check_behind_a_pause_decides() {
        let pause = Pause { who: "a".to_owned(), token: 7, stopped: at(11), resumed: at(50) };
        let missed = |said: &[Entry]| Beliefs::read(said).missed(std::slice::from_ref(&pause));
        let late = [checked("a", 7, 10, true), checked("a", 7, 51, true), checked("a", 7, 52, false)];
        assert_eq!(missed(&late), ["a still believed in 7 40ms after it was stopped"]);
        assert_eq!(missed(&late[..1]), ["a did not check 7 after it went on"]);
    }

    #[test]
    fn a_belief_in_a_key_that_is_not_first_is_found() {
        let said = [granted("a", 7, 0), checked("a", 7, 10, true), checked("a", 7, 60, true)];
        let beliefs = Beliefs::read(&said);
        assert_eq!(beliefs.unfounded(&[list(50, &[9])]), ["a believed in 7 9ms after it was not first"]);
        assert_eq!(beliefs.unfounded(&[list(50, &[5, 7])]).len(), 1);
        // Under way while the last question was asked: nothing is certain.
        assert_eq!(beliefs.unfounded(&[list(60, &[9])]), [""; 0]);
    }
}
