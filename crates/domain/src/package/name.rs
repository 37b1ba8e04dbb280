//! `vendor/name`: what a package is called.

use crate::{Invalid, shortened};
use regex::Regex;
use std::{fmt, str::FromStr, sync::LazyLock};

/// The name of a package: lower-case `vendor/name`, at most 255 characters, by Composer's strict rule
/// (`ValidatingArrayLoader::hasPackageNamingError`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackageName(String);

/// Composer knows no limit; file systems and indexes do.
const LONGEST: usize = 255;

impl PackageName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the slash.
    #[must_use]
    pub fn vendor(&self) -> &str {
        self.0.split_once('/').map_or("", |(vendor, _)| vendor)
    }
}

impl FromStr for PackageName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if is_platform(text) {
            return Err(Invalid::because(format!(
                "“{text}” names a part of the platform, not a package. A package is called vendor/name."
            )));
        }
        check(text)?;
        if text.len() > LONGEST {
            return Err(Invalid::because(format!("A package name has at most {LONGEST} characters.")));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for PackageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a requirement means the platform (`php`, `ext-json`, `composer-runtime-api`) and is never asked for.
#[must_use]
pub fn is_platform(name: &str) -> bool {
    static PATTERN: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"^(?:php(?:-64bit|-ipv6|-zts|-debug)?|hhvm|(?:ext|lib)-[a-z0-9](?:[_.-]?[a-z0-9]+)*|composer(?:-(?:plugin|runtime)-api)?)$",
        )
    });
    PATTERN.is_match(&name.to_ascii_lowercase())
}

/// Composer's strict rule for names, of packages and of requirements. Names of the platform pass.
pub(crate) fn check(name: &str) -> Result<(), Invalid> {
    static PATTERN: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"^[a-z0-9](?:[_.-]?[a-z0-9]+)*/[a-z0-9](?:(?:[_.]|-{1,2})?[a-z0-9]+)*$"));
    const RESERVED: [&str; 22] = [
        "nul", "con", "prn", "aux", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9",
        "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
    ];
    if is_platform(name) {
        return Ok(());
    }
    let lower_case = name.to_ascii_lowercase();
    let problem = if !PATTERN.is_match(&lower_case) {
        "is not a package name. One has a vendor, a slash and a name, each of words of a-z and 0-9 joined by “-”, “_” or “.”."
            .to_owned()
    } else if lower_case.split('/').any(|part| RESERVED.contains(&part)) {
        "cannot be used: Windows reserves that word. Choose another one.".to_owned()
    } else if lower_case.strip_suffix(".json").is_some() {
        "cannot be used: a package name does not end in .json. Use “-json” instead.".to_owned()
    } else if name != lower_case {
        format!("has upper-case letters. Use {lower_case} instead.")
    } else {
        return Ok(());
    };
    Err(Invalid::because(format!("“{}” {problem}", shortened(name, 80))))
}

fn pattern(text: &str) -> Regex {
    #[expect(
        clippy::expect_used,
        reason = "every pattern is a constant of this file and is built by its tests"
    )]
    Regex::new(text).expect("a pattern of this file is valid")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_a_vendor() {
        let name: PackageName = "acme/mailer".parse().unwrap();
        assert_eq!((name.vendor(), name.as_str()), ("acme", "acme/mailer"));
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        for (name, sentence) in [
            ("Acme/Mailer", "“Acme/Mailer” has upper-case letters. Use acme/mailer instead."),
            ("php", "“php” names a part of the platform, not a package. A package is called vendor/name."),
            ("acme/nul", "“acme/nul” cannot be used: Windows reserves that word. Choose another one."),
        ] {
            assert_eq!(name.parse::<PackageName>().unwrap_err().to_string(), sentence);
        }
        assert!(format!("acme/{}", "a".repeat(300)).parse::<PackageName>().is_err());
    }
}
