//! From where a goal can be reached: what a checker of paths cannot say of models that go in circles.

use std::collections::HashMap;
use std::collections::hash_map::{DefaultHasher, Entry};
use std::hash::{Hash, Hasher};

use stateright::Model;

/// The states of a model, and which of them a goal can be reached from.
#[derive(Debug)]
pub(crate) struct Reach {
    /// How many states there are.
    pub(crate) states: usize,
    /// A state that wants to reach the goal and cannot, as text.
    pub(crate) stuck: Option<String>,
}

/// Looks for a state that `wants` to get to a `goal` and cannot by moves that are `calm`. States are found by all
/// moves.
pub(crate) fn reach<M: Model>(
    model: &M,
    calm: impl Fn(&M::State, &M::Action) -> bool,
    wants: impl Fn(&M::State) -> bool,
    goal: impl Fn(&M::State) -> bool,
) -> Reach
where
    M::State: Hash + std::fmt::Debug + Clone,
    M::Action: Copy,
{
    let mut numbers: HashMap<u64, usize> = HashMap::new();
    let mut before: Vec<Vec<u32>> = Vec::new();
    let mut open = Vec::new();
    let mut wanting = Vec::new();
    let mut reached = Vec::new();
    let mut found =
        |state: M::State, open: &mut Vec<(usize, M::State)>, before: &mut Vec<Vec<u32>>| match numbers
            .entry(print(&state))
        {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                let number = before.len();
                before.push(Vec::new());
                open.push((number, state));
                *new.insert(number)
            }
        };
    for state in model.init_states() {
        found(state, &mut open, &mut before);
    }
    while let Some((number, state)) = open.pop() {
        if goal(&state) {
            reached.push(number);
        } else if wants(&state) {
            wanting.push((number, state.clone()));
        }
        let mut moves = Vec::new();
        model.actions(&state, &mut moves);
        for action in moves {
            let Some(next) = model.next_state(&state, action) else { continue };
            let next = found(next, &mut open, &mut before);
            if calm(&state, &action) {
                before[next].push(u32::try_from(number).unwrap());
            }
        }
    }
    let mut can = vec![false; before.len()];
    reached.iter().for_each(|&number| can[number] = true);
    while let Some(number) = reached.pop() {
        for &previous in &before[number] {
            let previous = usize::try_from(previous).unwrap();
            if !std::mem::replace(&mut can[previous], true) {
                reached.push(previous);
            }
        }
    }
    let stuck = wanting.into_iter().find(|&(number, _)| !can[number]);
    Reach { states: before.len(), stuck: stuck.map(|(_, state)| format!("{state:#?}")) }
}

fn print(state: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    state.hash(&mut hasher);
    hasher.finish()
}
