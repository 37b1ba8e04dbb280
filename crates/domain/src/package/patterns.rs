//! Packages that somebody chose by name.

use super::PackageName;
use crate::{Invalid, composer::root::lower_case_matches, shortened};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt, str::FromStr};

/// So many lines are taken. Each pattern with a star costs a little whenever a package is asked for.
const MOST: usize = 500;
/// As long as a name may be.
const LONGEST: usize = 255;

/// Names of packages, and patterns such as `acme/*`, in which a star stands for any text, slashes too
/// ([`pattern_matches`](crate::composer::root::pattern_matches)). People type one per line; it is kept in lower case, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Patterns {
    /// Those without a star: found without looking at each.
    names: BTreeSet<String>,
    /// Those with one.
    patterns: BTreeSet<String>,
}

impl Patterns {
    /// Whether a package is among the chosen ones.
    #[must_use]
    pub fn fit(&self, name: &PackageName) -> bool {
        let name = name.as_str();
        self.names.contains(name) || self.patterns.iter().any(|pattern| lower_case_matches(pattern, name))
    }

    /// Whether nothing was chosen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && self.patterns.is_empty()
    }

    /// Every name and pattern.
    pub fn iter(&self) -> impl Iterator<Item = &str> + Clone {
        self.names.iter().chain(&self.patterns).map(String::as_str)
    }

    fn of<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Self, Invalid> {
        let mut chosen = Self::default();
        for line in lines.map(str::trim).filter(|line| !line.is_empty()) {
            let line = parsed(line)?;
            let place = if line.contains('*') { &mut chosen.patterns } else { &mut chosen.names };
            place.insert(line);
            if chosen.names.len() + chosen.patterns.len() > MOST {
                return Err(Invalid::because(format!(
                    "These are more than {MOST} names. Put several into one pattern, such as acme/*."
                )));
            }
        }
        Ok(chosen)
    }
}

fn parsed(line: &str) -> Result<String, Invalid> {
    let lower_case = line.to_lowercase();
    if line.len() > LONGEST {
        return Err(Invalid::because(format!(
            "“{}” is too long: a name has at most {LONGEST} characters.",
            shortened(line, 60)
        )));
    }
    if !lower_case.contains('*') {
        return lower_case.parse().map(|name: PackageName| name.to_string());
    }
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "/_.-*".contains(c);
    if lower_case.chars().all(is_allowed) && lower_case.matches('/').count() <= 1 {
        return Ok(lower_case);
    }
    Err(Invalid::because(format!(
        "“{}” fits no package: a pattern such as acme/* has a-z, 0-9, “-”, “_”, “.”, one slash and stars. Write one per line.",
        shortened(line, 60)
    )))
}

impl FromStr for Patterns {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::of(text.lines())
    }
}

impl TryFrom<Vec<String>> for Patterns {
    type Error = Invalid;

    fn try_from(lines: Vec<String>) -> Result<Self, Invalid> {
        Self::of(lines.iter().map(String::as_str))
    }
}

impl From<Patterns> for Vec<String> {
    fn from(chosen: Patterns) -> Self {
        chosen.iter().map(str::to_owned).collect()
    }
}

impl fmt::Display for Patterns {
    /// One per line, as it is typed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, line) in self.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            f.write_str(line)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(chosen: &str, name: &str) -> bool {
        chosen.parse::<Patterns>().unwrap().fit(&name.parse().unwrap())
    }

    #[test]
    fn what_was_chosen() {
        for (chosen, name, fits) in [
            ("acme/mailer", "acme/mailer", true),
            ("acme/mailer", "acme/mailer-extra", false),
            ("ACME/Mailer", "acme/mailer", true),
            ("acme/*", "acme/mailer", true),
            ("acme/*", "acme-labs/mailer", false),
            ("acme*", "acme-labs/mailer", true),
            ("*/mailer", "other/mailer", true),
            ("acme/*-bundle", "acme/mailer-bundle", true),
            ("acme/*-bundle", "acme/mailer", false),
            ("*", "acme/mailer", true),
            ("", "acme/mailer", false),
            (" acme/one \r\n\n acme/mailer\r\n", "acme/mailer", true),
        ] {
            assert_eq!(fit(chosen, name), fits, "{chosen} {name}");
        }
    }

    #[test]
    fn what_fits_nothing_is_refused() {
        for (bad, part) in [
            ("mailer", "“mailer” is not a package name"),
            ("acme/one, acme/two", "is not a package name"),
            ("acme/*, other/*", "“acme/*, other/*” fits no package"),
            ("acme/*/x", "one slash"),
            ("php", "names a part of the platform"),
            ("acme/[a-z]*", "fits no package"),
        ] {
            let refusal = bad.parse::<Patterns>().unwrap_err().to_string();
            assert!(refusal.contains(part), "{bad}: {refusal}");
        }
        let many: Vec<_> = (0..=MOST).map(|number| format!("acme/p{number}")).collect();
        assert!(many.join("\n").parse::<Patterns>().is_err());
        assert!(many[1..].join("\n").parse::<Patterns>().is_ok());
        assert!(format!("acme/{}*", "a".repeat(LONGEST)).parse::<Patterns>().is_err());
    }

    #[test]
    fn what_is_kept_is_what_was_typed() {
        let chosen: Patterns = "acme/*\nacme/mailer\nACME/*".parse().unwrap();
        assert_eq!(chosen.to_string(), "acme/mailer\nacme/*");
        assert_eq!(chosen.to_string().parse(), Ok(chosen.clone()));
        let json = serde_json::to_string(&chosen).unwrap();
        assert_eq!(json, r#"["acme/mailer","acme/*"]"#);
        assert_eq!(serde_json::from_str::<Patterns>(&json).unwrap(), chosen);
        assert!(serde_json::from_str::<Patterns>(r#"["no name"]"#).is_err());
    }
}
