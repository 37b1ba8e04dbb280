//! What an admin chooses for the whole installation.

use crate::{Invalid, version::Keeping};

/// Global Configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Only admins may make organizations.
    pub limit_organization_creation: bool,
    /// People may register and log in with e-mail address and password.
    pub password_login: bool,
    /// Minutes between two runs of a synchronization; `None` is
    /// [`MINUTES_BETWEEN_RUNS`](crate::synchronization::MINUTES_BETWEEN_RUNS).
    pub minutes_between_runs: Option<u32>,
    /// How long dists of commits that branches have left behind are kept.
    pub keeping: Keeping,
}

/// The shortest and the longest time between two runs that can be chosen, in minutes.
const MINUTES: std::ops::RangeInclusive<u32> = 5..=10_080;

/// What an admin typed as the time between two runs of a synchronization; nothing is the preset.
pub fn minutes_parse(text: &str) -> Result<Option<u32>, Invalid> {
    match text.trim() {
        "" => Ok(None),
        typed => match typed.parse() {
            Ok(minutes) if MINUTES.contains(&minutes) => Ok(Some(minutes)),
            _ => Err(Invalid::because(
                "The time between two synchronizations is a number of minutes from 5 to 10080 (a week). Leave it empty for 60.",
            )),
        },
    }
}

/// What an admin typed as a number of days or of commits; nothing is `preset`.
pub fn number_parse(text: &str, preset: u32) -> Result<u32, Invalid> {
    match text.trim() {
        "" => Ok(preset),
        typed => typed.parse().ok().filter(|number| *number <= MOST).ok_or_else(|| {
            Invalid::because(format!("This is a whole number from 0 to {MOST}. Leave it empty for {preset}."))
        }),
    }
}

/// The largest number of days or of commits that can be chosen: a hundred years.
const MOST: u32 = 36_500;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_between_two_runs_has_bounds() {
        for (typed, minutes) in
            [("", None), (" ", None), ("5", Some(5)), (" 60 ", Some(60)), ("10080", Some(10_080))]
        {
            assert_eq!(minutes_parse(typed), Ok(minutes), "{typed}");
        }
        for bad in ["4", "10081", "0", "-5", "1.5", "an hour", "99999999999"] {
            assert!(minutes_parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn days_and_commits_have_bounds() {
        for (typed, number) in [("", 90), (" 7 ", 7), ("0", 0), ("36500", 36_500)] {
            assert_eq!(number_parse(typed, 90), Ok(number), "{typed}");
        }
        for bad in ["-1", "36501", "a week", "1.5", "99999999999"] {
            assert!(number_parse(bad, 90).is_err(), "{bad}");
        }
    }
}
