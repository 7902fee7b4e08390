//! The fuzz targets on a fixed set of inputs: the recorded answers, and mutations of them. So a plain test run
//! covers every decoder; `cargo xtask fuzz` goes on from there.

#[path = "recordings_support/exchange.rs"]
#[allow(dead_code, reason = "only the bodies are needed here")]
mod exchange;
#[path = "../fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "public for the fuzz crate, which has the file as its library")]
mod targets;

use std::collections::{BTreeMap, BTreeSet};

use exchange::Exchange;

/// Mutations of each distinct body.
const MUTATIONS: usize = 3;

#[test]
fn every_target_takes_every_recorded_body() {
    let seeds = seeds();
    assert!(seeds.len() > 400, "{}", seeds.len());
    for (name, target) in targets::TARGETS {
        for seed in &seeds {
            run(name, *target, seed);
        }
    }
}

#[test]
fn every_target_takes_what_becomes_of_recorded_bodies_on_a_bad_line() {
    let seeds: Vec<Vec<u8>> = seeds().into_iter().collect();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for seed in &seeds {
        for _ in 0..MUTATIONS {
            let mutated = mutate(seed, &seeds, &mut random);
            for (name, target) in targets::TARGETS {
                run(name, *target, &mutated);
            }
        }
    }
}

#[test]
fn every_target_takes_noise() {
    let mut random = Random(7);
    for _ in 0..2_000 {
        let noise: Vec<u8> = (0..random.below(64)).map(|_| NOISE[random.below(NOISE.len())]).collect();
        for (name, target) in targets::TARGETS {
            run(name, *target, &noise);
        }
    }
}

#[test]
fn json_nested_a_hundred_thousand_deep_is_an_error_and_no_overflow() {
    let nested = |open: &str, inner: &str, close: &str| {
        [open.repeat(100_000), inner.into(), close.repeat(100_000)].concat().into_bytes()
    };
    let node = r#"{"action":"get","node":{"dir":true,"nodes":["#;
    let bodies = [
        nested("[", "", "]"),
        nested("[", "", ""),
        nested(r#"{"a":"#, "1", "}"),
        [node.as_bytes(), &nested(r#"{"nodes":["#, "", "]}"), b"]}}"].concat(),
        [b"{\"members\":".as_slice(), &nested("[", "", "]"), b"}"].concat(),
        [b"{\"users\":[{\"user\":\"a\",\"roles\":".as_slice(), &nested("[", "", "]"), b"}]}"].concat(),
        [b"{\"health\":".as_slice(), &nested("[", "", "]"), b"}"].concat(),
        [b"{\"new\":".as_slice(), &nested("[", "", "]"), b"}"].concat(),
        [b"{\"errorCode\":".as_slice(), &nested("[", "", "]"), b"}"].concat(),
    ];
    // The encoders read no JSON.
    let decoders = targets::TARGETS.iter().filter(|(name, _)| !matches!(*name, "form" | "key" | "names"));
    for body in bodies {
        for (name, target) in decoders.clone() {
            // The choices of status, headers and call that the first two bytes make.
            for choice in [0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x80, 0x08, 0x0e] {
                run(name, *target, &[&[choice, 1], &*body].concat());
            }
        }
    }
}

#[test]
fn every_target_has_its_file_and_its_place_in_the_manifest() {
    let fuzz = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let names: BTreeSet<String> = targets::TARGETS.iter().map(|(name, _)| (*name).into()).collect();
    let files: BTreeSet<String> = std::fs::read_dir(fuzz.join("fuzz_targets"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().into())
        .collect();
    assert_eq!(files, names);
    let manifest = std::fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    for name in names {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}");
        let file = std::fs::read_to_string(fuzz.join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(file.contains(&format!("etcd_proto_fuzz::{name}(data)")), "{name}");
    }
}

/// Runs a target, and says on which input it failed.
fn run(name: &str, target: targets::Target, input: &[u8]) {
    if let Err(panic) = std::panic::catch_unwind(|| target(input)) {
        let start = &input[..input.len().min(300)];
        eprintln!("target {name} failed on {} bytes: {}", input.len(), start.escape_ascii());
        std::panic::resume_unwind(panic);
    }
}

/// The distinct recorded bodies of answers and requests, and request targets: as they are, and behind the two
/// bytes that choose how a decoder is to take them.
fn seeds() -> BTreeSet<Vec<u8>> {
    let mut shapes = BTreeMap::new();
    for Exchange { answer, body, target, .. } in exchange::all() {
        for text in answer.map(|answer| answer.body).into_iter().chain([body, target.into_bytes()]) {
            // Bodies that differ in digits only lead the decoders the same way.
            let shape: Vec<u8> =
                text.iter().map(|byte| if byte.is_ascii_digit() { b'0' } else { *byte }).collect();
            shapes.entry(shape).or_insert(text);
        }
    }
    let mut random = Random(1);
    let mut seeds = BTreeSet::new();
    for text in shapes.into_values().filter(|text| text.len() < 4096) {
        seeds.insert([&[random.byte(), random.byte()], &*text].concat());
        seeds.insert([&[random.byte() & 0xf0, 1], &*text].concat());
        seeds.insert(text);
    }
    seeds
}

/// Bits flipped, a piece cut out, the end cut off, or spliced with another seed.
fn mutate(seed: &[u8], seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len() + 1);
        match random.below(5) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..bytes.len().min(at + 1 + random.below(8)))),
            2 => {
                let other = &seeds[random.below(seeds.len())];
                bytes.truncate(at);
                bytes.extend_from_slice(&other[random.below(other.len() + 1)..]);
            }
            3 => bytes.insert(at, NOISE[random.below(NOISE.len())]),
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
        }
    }
    bytes
}

/// Bytes that mean something to one decoder or another.
const NOISE: &[u8] = b"{}[]\":,\\/ \n0123456789.-+eE%;&=<>truefalsn\x00\x1b\xff";

/// The same numbers in every run: xorshift64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[3]
    }
}
