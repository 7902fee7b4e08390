//! Releases of the distributions, and in which order to ask them.

use super::source::Source;

/// A distribution whose releases are known here by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// Debian.
    Debian,
    /// Ubuntu.
    Ubuntu,
}

impl Family {
    /// The package that brings the keys of the releases.
    pub(crate) fn keyring_package(self) -> &'static str {
        match self {
            Self::Debian => "debian-archive-keyring",
            Self::Ubuntu => "ubuntu-keyring",
        }
    }

    /// Oldest first. Only those whose packages the mirrors still have.
    fn releases(self) -> &'static [&'static str] {
        match self {
            Self::Debian => &["bullseye", "bookworm", "trixie", "forky", "sid"],
            Self::Ubuntu => &["jammy", "noble", "plucky", "questing", "resolute"],
        }
    }

    /// Names that wander from release to release.
    fn aliases(self) -> &'static [&'static str] {
        match self {
            Self::Debian => &["oldstable", "stable", "testing", "unstable"],
            Self::Ubuntu => &[],
        }
    }

    fn of(release: &str) -> Option<Self> {
        [Self::Debian, Self::Ubuntu]
            .into_iter()
            .find(|family| family.releases().contains(&release) || family.aliases().contains(&release))
    }
}

/// The distribution's own source among all, once for each suite to ask: the configured one
/// first, then newer ones, then older ones.
///
/// An older one comes last, because a program runs on a newer system than it was built for, but not always on
/// an older one.
pub(crate) fn suites(sources: &[Source]) -> Option<(Family, Vec<Source>)> {
    let (family, release, source) = sources.iter().find_map(|source| {
        let release = source.suites.iter().map(|suite| base(suite)).find(|it| Family::of(it).is_some())?;
        let has_main = source.components.iter().any(|component| component == "main");
        // A security archive has the same names of releases, but only some packages.
        let whole = source.suites.iter().any(|suite| suite == release);
        (has_main && whole).then_some((Family::of(release)?, release, source))
    })?;

    let configured = source.suites.iter().filter(|suite| base(suite) == release).cloned().collect();
    let mut all = vec![Source { suites: configured, ..source.clone() }];
    let releases = family.releases();
    // An alias has no place in the list: all names are asked in order.
    let place = releases.iter().position(|name| *name == release);
    let (older, newer) =
        place.map_or((&[][..], releases), |place| (&releases[..place], &releases[place + 1..]));
    let others = newer.iter().chain(older.iter().rev());
    all.extend(others.map(|name| Source { suites: vec![(*name).to_owned()], ..source.clone() }));
    Some((family, all))
}

/// The release that a suite belongs to: `bookworm` for `bookworm-updates`.
fn base(suite: &str) -> &str {
    suite.split_once('-').map_or(suite, |(release, _)| release)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(suites: &[&str], components: &[&str]) -> Source {
        let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        Source { suites: owned(suites), components: owned(components), ..Source::default() }
    }

    fn names(sources: &[Source]) -> Vec<String> {
        suites(sources).unwrap().1.iter().map(|source| source.suites.join(" ")).collect()
    }

    #[test]
    fn newer_suites_follow_the_configured_one_and_older_ones_come_last() {
        let debian = [
            source(&["nodistro"], &["main"]),
            source(&["bookworm-security"], &["main"]),
            source(&["bookworm", "bookworm-updates"], &["main"]),
        ];
        assert_eq!(names(&debian), ["bookworm bookworm-updates", "trixie", "forky", "sid", "bullseye"]);
        let ubuntu = [source(&["plucky"], &["main", "universe"])];
        assert_eq!(names(&ubuntu), ["plucky", "questing", "resolute", "noble", "jammy"]);
    }

    #[test]
    fn an_alias_is_asked_first_and_then_all_releases() {
        let alias = [source(&["stable"], &["main"])];
        assert_eq!(names(&alias), ["stable", "bullseye", "bookworm", "trixie", "forky", "sid"]);
    }

    #[test]
    fn a_distribution_that_is_not_known_gives_nothing() {
        assert_eq!(suites(&[source(&["faye"], &["main"])]), None);
        assert_eq!(suites(&[source(&["bookworm"], &["backports"])]), None);
    }
}
