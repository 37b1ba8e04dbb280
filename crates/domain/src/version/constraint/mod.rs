//! What a package accepts of another one: `^1.2 || ~2.0.3`.

mod parse;

use super::compare::compare_texts;
use crate::Invalid;
use std::{cmp::Ordering, fmt, str::FromStr};

/// A parsed constraint. Its `Display` is Composer's canonical form: `[>= 1.2.0.0-dev < 2.0.0.0-dev]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Constraint {
    /// Everything, branches too: `*`.
    Any,
    /// One comparison with a normalized version.
    One(Operator, String),
    /// All of them.
    All(Vec<Constraint>),
    /// At least one of them.
    AnyOf(Vec<Constraint>),
}

/// How a version is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `=`, `==` or nothing.
    Equal,
    /// `!=` or `<>`.
    NotEqual,
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterOrEqual,
}

impl Operator {
    fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    fn accepts(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

impl Constraint {
    /// Reads what stands in composer.json (composer/semver, `parseConstraints`).
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        parse::constraint(text)
    }

    /// Whether a normalized version is accepted. Stability is another question: `^1.0` accepts `1.1.0.0-alpha1`.
    #[must_use]
    pub fn matches(&self, version: &str) -> bool {
        match self {
            Self::Any => true,
            Self::One(operator, wanted) => one_matches(*operator, wanted, version),
            Self::All(all) => all.iter().all(|one| one.matches(version)),
            Self::AnyOf(any) => any.iter().any(|one| one.matches(version)),
        }
    }

    /// Whether any version at all could be accepted; `>2 <1` is not satisfiable.
    #[must_use]
    pub fn is_satisfiable(&self) -> bool {
        match self {
            Self::Any | Self::One(..) => true,
            Self::AnyOf(any) => any.iter().any(Self::is_satisfiable),
            Self::All(all) => all_satisfiable(all),
        }
    }
}

/// A branch equals itself and nothing else; no range contains it.
fn one_matches(operator: Operator, wanted: &str, version: &str) -> bool {
    if wanted.starts_with("dev-") || version.starts_with("dev-") {
        return match operator {
            Operator::Equal => wanted == version,
            Operator::NotEqual => wanted != version,
            _ => false,
        };
    }
    operator.accepts(compare_texts(version, wanted))
}

/// Versions lie so close to each other that a range with two different ends always holds one. What is left are the
/// versions that the constraint itself names.
fn all_satisfiable(all: &[Constraint]) -> bool {
    let named = |wanted: &[Operator]| {
        all.iter()
            .filter_map(|one| match one {
                Constraint::One(operator, version) if wanted.contains(operator) => Some(version.as_str()),
                _ => None,
            })
            .collect::<Vec<_>>()
    };
    if let Some(version) = named(&[Operator::Equal]).first() {
        return all.iter().all(|one| one.matches(version));
    }
    let lower =
        named(&[Operator::Greater, Operator::GreaterOrEqual]).into_iter().max_by(|a, b| compare_texts(a, b));
    let upper =
        named(&[Operator::Less, Operator::LessOrEqual]).into_iter().min_by(|a, b| compare_texts(a, b));
    match (lower, upper) {
        (Some(lower), Some(upper)) => match compare_texts(lower, upper) {
            Ordering::Less => true,
            Ordering::Equal => all.iter().all(|one| one.matches(lower)),
            Ordering::Greater => false,
        },
        _ => true,
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (parts, between) = match self {
            Self::Any => return f.write_str("*"),
            Self::One(operator, version) => return write!(f, "{} {version}", operator.as_str()),
            Self::All(parts) => (parts, " "),
            Self::AnyOf(parts) => (parts, " || "),
        };
        f.write_str("[")?;
        for (index, part) in parts.iter().enumerate() {
            write!(f, "{}{part}", if index == 0 { "" } else { between })?;
        }
        f.write_str("]")
    }
}

impl FromStr for Constraint {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constraint_that_nothing_matches_is_found() {
        for (text, satisfiable) in [
            ("*", true),
            (">2 <1", false),
            (">1 <2", true),
            (">1 <=1", false),
            (">=1.0.0.0-stable <=1", true),
            ("1.0, 2.0", false),
            ("1.0, <2.0", true),
            ("^1.0,!=1.2.3", true),
            (">2 <1 || 3", true),
            ("dev-main, dev-other", false),
        ] {
            assert_eq!(Constraint::parse(text).unwrap().is_satisfiable(), satisfiable, "{text}");
        }
    }
}
