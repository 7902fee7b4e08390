//! Parameters, right and wrong, and where they are put.

use fastrand::Rng;

/// Names and encoded values, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parameters(pub(crate) Vec<(&'static str, String)>);

impl Parameters {
    pub(crate) fn add(&mut self, name: &'static str, value: impl Into<String>) -> &mut Self {
        self.0.push((name, value.into()));
        self
    }

    /// Adds a switch with a chance in percent: nearly always on, now and then off or nonsense.
    pub(crate) fn switch(&mut self, rng: &mut Rng, name: &'static str, percent: u32) -> &mut Self {
        if rng.u32(0..100) < percent {
            let value = match rng.u32(0..40) {
                0 => "1",
                1 => "T",
                2 => "false",
                3 => "0",
                4 if rng.bool() => "yes",
                _ => "true",
            };
            self.add(name, value);
        }
        self
    }

    /// `a=1&b=2`.
    pub(crate) fn encoded(&self) -> String {
        let pairs: Vec<_> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("&")
    }

    /// Makes one thing wrong, or odd but right.
    pub(crate) fn spoil(&mut self, rng: &mut Rng) {
        let name = NAMES[rng.usize(0..NAMES.len())];
        let value = VALUES[rng.usize(0..VALUES.len())];
        let place = rng.usize(0..=self.0.len());
        self.0.insert(place, (name, value.to_owned()));
    }
}

/// A value, percent-encoded.
pub(crate) fn value(rng: &mut Rng) -> String {
    match rng.u32(0..100) {
        0..75 => ["1", "2", "v", "w", "x"][rng.usize(0..5)].to_owned(),
        75..80 => String::new(),
        80..97 => ODD[rng.usize(0..ODD.len())].to_owned(),
        _ => "long".repeat(rng.usize(1..600)),
    }
}

/// Seconds that no run takes.
pub(crate) fn long_ttl(rng: &mut Rng) -> String {
    [3_600_u64, 86_400, 1_000_000, 1_000_000_000, 7_000_000_000][rng.usize(0..5)].to_string()
}

const NAMES: [&str; 18] = [
    "value",
    "dir",
    "ttl",
    "prevValue",
    "prevIndex",
    "prevExist",
    "refresh",
    "noValueOnSuccess",
    "wait",
    "waitIndex",
    "recursive",
    "stream",
    "sorted",
    "quorum",
    "unknown",
    "Value",
    "TTL",
    "",
];
/// None of them makes a key that ends within the run.
const VALUES: [&str; 18] = [
    "",
    "false",
    "true",
    "TRUE",
    "tRUE",
    "-1",
    "+5",
    "1.5",
    "%205",
    "18446744073709551616",
    "x",
    "a;b",
    "%zz",
    "%",
    "a+b",
    "99999",
    "3600",
    "%00",
];
const ODD: [&str; 18] = [
    "a+b",
    "a%20b",
    "%0A",
    "%00",
    "%FF",
    "%C3%28",
    "%C3%A9",
    "%E2%80%A8%E2%80%A9",
    "%3Cb%3E%26",
    "%22%5C",
    "%08%0C%09%0D",
    "%7B%22ttl%22%3A5%7D",
    "=",
    "a=b",
    "%F0%9F%98%80",
    "%7F",
    "%1F",
    "%EF%BF%BD",
];
