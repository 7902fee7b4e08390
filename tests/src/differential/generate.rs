//! The seeded generator of operations.

use std::collections::VecDeque;
use std::time::Duration;

use fastrand::Rng;
use serde_json::Value;

use super::answer::Answer;
use super::key::{encode, key, respell};
use super::operation::Operation;
use super::parameter::{Parameters, long_ttl, value};

/// Makes operations, and learns from the answers which keys there are.
#[derive(Debug)]
pub(crate) struct Generator {
    rng: Rng,
    /// Encoded key, encoded value and modifiedIndex of what was written last.
    recent: VecDeque<(String, String, u64)>,
    /// How many operations there were.
    made: u64,
    /// How many more operations may give a key a TTL that ends soon.
    short: u32,
}

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        Self { rng: Rng::with_seed(seed), recent: VecDeque::new(), made: 0, short: 0 }
    }

    /// The next operation on a store that stands at `index`.
    pub(crate) fn next(&mut self, index: u64) -> Operation {
        self.made += 1;
        if self.made % EPISODE == EPISODE / 3 {
            self.short = 8;
        }
        let mut operation = match self.rng.u32(0..100) {
            0..22 => self.get("GET"),
            22..26 => self.get("HEAD"),
            26..50 => self.set(),
            50..58 => self.conditional("false", index),
            58..66 => self.conditional("true", index),
            66..76 => self.compare(index),
            76..80 => self.in_order(),
            80..89 => self.delete(),
            89..92 => self.compare_and_delete(index),
            92..98 => self.watch(index),
            _ => self.odd(),
        };
        if self.rng.u32(0..60) == 0 {
            operation.content_type = CONTENT_TYPES[self.rng.usize(0..CONTENT_TYPES.len())];
        }
        operation
    }

    /// Notes what an answer says of a key.
    pub(crate) fn learn(&mut self, operation: &Operation, answer: &Answer) {
        if answer.status > 201 || matches!(operation.method, "GET" | "HEAD") {
            return;
        }
        let Ok(event) = serde_json::from_slice::<Value>(&answer.body) else { return };
        let Some(index) = event["node"]["modifiedIndex"].as_u64() else { return };
        let encode = |field: &str| encode(event["node"][field].as_str().unwrap_or_default());
        self.recent.push_front((encode("key").replace("%2F", "/"), encode("value"), index));
        self.recent.truncate(40);
    }

    fn get(&mut self, method: &'static str) -> Operation {
        let key = self.any_key(40);
        let mut parameters = Parameters::default();
        let rng = &mut self.rng;
        parameters.switch(rng, "recursive", 40).switch(rng, "sorted", 60).switch(rng, "quorum", 20);
        if method == "GET" && rng.u32(0..30) == 0 {
            parameters.add("quorum", "true").add("wait", "true");
        }
        self.in_query(method, key, parameters)
    }

    fn set(&mut self) -> Operation {
        let key = self.any_key(20);
        let mut parameters = self.content();
        parameters.switch(&mut self.rng, "dir", 12);
        self.in_body("PUT", key, parameters)
    }

    /// A create or an update, with further conditions now and then.
    fn conditional(&mut self, exists: &'static str, index: u64) -> Operation {
        let key = self.any_key(if exists == "true" { 70 } else { 20 });
        let mut parameters = self.content();
        parameters.add("prevExist", exists);
        parameters.switch(&mut self.rng, "dir", 20);
        if self.rng.u32(0..6) == 0 {
            self.condition(&key, index, &mut parameters);
        }
        self.in_body("PUT", key, parameters)
    }

    fn compare(&mut self, index: u64) -> Operation {
        let key = self.any_key(75);
        let mut parameters = self.content();
        self.condition(&key, index, &mut parameters);
        parameters.switch(&mut self.rng, "dir", 5);
        self.in_body("PUT", key, parameters)
    }

    fn in_order(&mut self) -> Operation {
        let key = self.any_key(20);
        let mut parameters = self.content();
        parameters.switch(&mut self.rng, "dir", 10);
        self.in_body("POST", key, parameters)
    }

    fn delete(&mut self) -> Operation {
        let key = self.any_key(55);
        let mut parameters = Parameters::default();
        parameters.switch(&mut self.rng, "dir", 30).switch(&mut self.rng, "recursive", 40);
        self.in_query("DELETE", key, parameters)
    }

    fn compare_and_delete(&mut self, index: u64) -> Operation {
        let key = self.any_key(80);
        let mut parameters = Parameters::default();
        self.condition(&key, index, &mut parameters);
        parameters.switch(&mut self.rng, "recursive", 10).switch(&mut self.rng, "dir", 10);
        self.in_query("DELETE", key, parameters)
    }

    /// A watch, mostly from an index that the history has.
    fn watch(&mut self, index: u64) -> Operation {
        let key = self.any_key(60);
        let mut parameters = Parameters::default();
        parameters.add("wait", "true");
        let past = match self.rng.u32(0..20) {
            0..4 => None,
            4..10 => Some(index.saturating_sub(self.rng.u64(0..20))),
            10..15 => Some(index.saturating_sub(self.rng.u64(0..1000))),
            15 => Some(index.saturating_sub(self.rng.u64(985..1015))),
            16 => Some(self.rng.u64(0..4)),
            17 => Some(index.saturating_add(self.rng.u64(0..10))),
            _ => Some(index.saturating_sub(self.rng.u64(0..4))),
        };
        if let Some(past) = past {
            parameters.add("waitIndex", past.to_string());
        }
        parameters.switch(&mut self.rng, "recursive", 60).switch(&mut self.rng, "stream", 20);
        self.in_query("GET", key, parameters)
    }

    /// Other methods and paths.
    fn odd(&mut self) -> Operation {
        let key = self.any_key(50);
        let method = ["PATCH", "OPTIONS", "GET", "PUT", "DELETE", "POST", "HEAD"][self.rng.usize(0..7)];
        let path = match self.rng.u32(0..6) {
            0 => "/v2/keysx".to_owned(),
            1 => "/v2".to_owned(),
            2 => "/v2/stats".to_owned(),
            3 => "/health".to_owned(),
            _ => format!("/v2/keys{}", respell(&mut self.rng, &key)),
        };
        let query = if self.rng.bool() { "?value=1&recursive=true" } else { "" };
        operation(method, path + query)
    }

    /// Value, TTL and the rest that every write may have.
    fn content(&mut self) -> Parameters {
        let mut parameters = Parameters::default();
        let rng = &mut self.rng;
        if rng.u32(0..12) == 0 {
            parameters.add("refresh", "true");
            if rng.u32(0..8) != 0 {
                parameters.add("ttl", long_ttl(rng));
            }
            if rng.u32(0..8) == 0 {
                parameters.add("value", value(rng));
            }
        } else {
            if rng.u32(0..10) != 0 {
                parameters.add("value", value(rng));
            }
            if rng.u32(0..8) == 0 {
                parameters.add("ttl", long_ttl(rng));
            }
        }
        parameters.switch(rng, "noValueOnSuccess", 4);
        parameters
    }

    fn condition(&mut self, key: &str, index: u64, parameters: &mut Parameters) {
        let known = self.recent.iter().find(|(recent, ..)| recent == key).cloned();
        let rng = &mut self.rng;
        let which = rng.u32(0..5);
        if which < 3 {
            let known = known.as_ref().filter(|_| rng.u32(0..5) != 0);
            parameters.add("prevValue", known.map_or_else(|| value(rng), |(_, value, _)| value.clone()));
        }
        if which > 1 {
            let known = known.filter(|_| rng.u32(0..5) != 0);
            let past = match known {
                Some((.., index)) => index,
                None if rng.u32(0..8) == 0 => 0,
                None => index.saturating_sub(rng.u64(0..50)),
            };
            parameters.add("prevIndex", past.to_string());
        }
    }

    /// A key that was written not long ago, with a chance in percent, or any.
    fn any_key(&mut self, percent: u32) -> String {
        let key_of = |(key, ..): &(String, String, u64)| key.clone();
        let recent = match self.recent.len() {
            0 => None,
            count => self.recent.get(self.rng.usize(0..count)).map(key_of),
        };
        let recent = recent.filter(|_| self.rng.u32(0..100) < percent);
        let key = recent.unwrap_or_else(|| key(&mut self.rng));
        match self.rng.u32(0..120) {
            0 => respell(&mut self.rng, &key),
            // Its directory, and what lies below it.
            1..8 => key.rsplit_once('/').map_or_else(String::new, |(above, _)| above.to_owned()),
            8..14 => key + "/a",
            _ => key,
        }
    }

    fn in_query(&mut self, method: &'static str, key: String, mut parameters: Parameters) -> Operation {
        if self.rng.u32(0..25) == 0 {
            parameters.spoil(&mut self.rng);
        }
        let query = parameters.encoded();
        let mut operation = operation(method, target(&key, &query));
        if self.rng.u32(0..200) == 0 {
            // Which no server reads here.
            operation.content_type = Some(FORM);
            operation.body = "prevValue=x&recursive=true".to_owned();
        }
        operation
    }

    fn in_body(&mut self, method: &'static str, key: String, mut parameters: Parameters) -> Operation {
        if self.rng.u32(0..25) == 0 {
            parameters.spoil(&mut self.rng);
        }
        let ends_in = self.short_ttl(&mut parameters);
        let mut query = Parameters::default();
        let share = if self.rng.u32(0..5) == 0 { 2 } else { 50 };
        let mut body = Parameters::default();
        for parameter in parameters.0 {
            let to = if self.rng.u32(0..share) == 0 { &mut query } else { &mut body };
            to.0.push(parameter);
        }
        let mut operation = operation(method, target(&key, &query.encoded()));
        operation.content_type = Some(FORM);
        operation.body = body.encoded();
        operation.ends_in = ends_in;
        operation
    }

    /// Gives the key a TTL that ends within the run, now and then; when it does.
    ///
    /// What ends at once closes the episode: until it has ended the runner does nothing.
    fn short_ttl(&mut self, parameters: &mut Parameters) -> Option<Duration> {
        if self.short == 0 || self.rng.u32(0..6) != 0 {
            return None;
        }
        self.short -= 1;
        parameters.0.retain(|(name, _)| *name != "ttl");
        if self.short > 0 {
            let seconds = self.rng.u64(2..4);
            parameters.add("ttl", seconds.to_string());
            return Some(Duration::from_secs(seconds));
        }
        let at_once =
            ["0", "1", "9000000000", "9300000000", "9223372037", "18446744073709551615", "12000000000"];
        let ttl = at_once[self.rng.usize(0..at_once.len())];
        parameters.add("ttl", ttl);
        Some(Duration::from_secs(u64::from(ttl == "1")))
    }
}

fn operation(method: &'static str, target: String) -> Operation {
    Operation { method, target, content_type: None, body: String::new(), ends_in: None }
}

fn target(key: &str, query: &str) -> String {
    if query.is_empty() { format!("/v2/keys{key}") } else { format!("/v2/keys{key}?{query}") }
}

/// Every so many operations begins a stretch with keys that expire: each costs a pause of some seconds.
const EPISODE: u64 = 2_500;
const FORM: &str = "application/x-www-form-urlencoded";
const CONTENT_TYPES: [Option<&str>; 7] = [
    None,
    Some("application/json"),
    Some("text/plain"),
    Some("application/x-www-form-urlencoded; charset=utf-8"),
    Some("multipart/form-data; boundary=x"),
    Some("application/x-www-form-urlencoded; charset"),
    Some("APPLICATION/X-WWW-FORM-URLENCODED"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_operations() {
        let list = |seed| {
            let mut generator = Generator::new(seed);
            (0..500).map(|index| generator.next(index).to_string()).collect::<Vec<_>>()
        };
        assert_eq!(list(7), list(7));
        assert_ne!(list(7), list(8));
    }

    #[test]
    fn nearly_every_operation_can_be_sent() {
        let mut generator = Generator::new(1);
        let sent = (0..1000).filter(|&index| generator.next(index).request().is_some()).count();
        assert!(sent > 950, "{sent} of 1000");
    }
}
