//! Installs: how often Composer says that it installed a version, and how often a dist was downloaded.

use crate::{Timestamp, id::PackageId};
use jiff::{ToSpan as _, civil::Date};
use std::fmt;

/// Days of the chart on a package's page.
pub const CHART_DAYS: i32 = 365;
/// Days that "last 30 days" means, today among them.
const RECENT_DAYS: i32 = 30;
const SECONDS_OF_DAY: i64 = 24 * 60 * 60;

/// A day in UTC: the days since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Day(pub i32);

impl Day {
    /// The day of an instant.
    #[must_use]
    pub fn of(instant: Timestamp) -> Self {
        // A timestamp ends with the year 9999, which has a few million days.
        Self(i32::try_from(instant.as_second().div_euclid(SECONDS_OF_DAY)).unwrap_or(i32::MAX))
    }

    /// So many days before.
    #[must_use]
    pub fn before(self, days: i32) -> Self {
        Self(self.0.saturating_sub(days))
    }

    /// The first day of the chart that ends here.
    #[must_use]
    pub fn chart_begin(self) -> Self {
        self.before(CHART_DAYS - 1)
    }
}

/// `2026-03-01`.
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Date::constant(1970, 1, 1).saturating_add(self.0.days()).fmt(f)
    }
}

/// Installs of one version of a package on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallCount {
    /// Of which package.
    pub package_id: PackageId,
    /// When.
    pub day: Day,
    /// The version in Composer's normalized form.
    pub version: String,
    /// How often.
    pub count: u64,
}

/// How often a dist was downloaded. Composer keeps what it downloaded, so there are fewer downloads than installs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadCount {
    /// Of which package.
    pub package_id: PackageId,
    /// The commit of the dist.
    pub commit: String,
    /// How often.
    pub count: u64,
    /// The last time.
    pub used_at: Timestamp,
}

/// The installs of a package.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Installs {
    /// Today.
    pub today: u64,
    /// In the last 30 days, today among them.
    pub last_30_days: u64,
    /// Since they are counted.
    pub total: u64,
    /// Of each day of the last year, the last one today; days without are among them.
    pub by_day: Vec<(Day, u64)>,
    /// Of each version that was ever installed, by its normalized form, the most installed first.
    pub by_version: Vec<(String, u64)>,
}

impl Installs {
    /// `by_day` are the days of the last year that had some, each once; `by_version` are all that ever were.
    #[must_use]
    pub fn of(today: Day, by_day: &[(Day, u64)], mut by_version: Vec<(String, u64)>) -> Self {
        let on = |day: Day| by_day.iter().find(|(other, _)| *other == day).map_or(0, |(_, count)| *count);
        let recent = |(day, _): &&(Day, u64)| (today.before(RECENT_DAYS - 1)..=today).contains(day);
        by_version.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Self {
            today: on(today),
            last_30_days: by_day.iter().filter(recent).map(|(_, count)| count).sum(),
            total: by_version.iter().map(|(_, count)| count).sum(),
            by_day: (today.chart_begin().0..=today.0).map(|day| (Day(day), on(Day(day)))).collect(),
            by_version,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_versions_are_summed_up() {
        let today = Day::of("2026-03-01T23:59:59Z".parse().unwrap());
        let by_day = [
            (today.before(365), 1000),
            (today.before(364), 100),
            (today.before(30), 10),
            (today.before(29), 4),
            (today, 3),
        ];
        let by_version = vec![("1.0.0.0".to_owned(), 17), ("2.0.0.0".to_owned(), 1100)];
        let installs = Installs::of(today, &by_day, by_version);
        assert_eq!((installs.today, installs.last_30_days, installs.total), (3, 7, 1117));
        assert_eq!(installs.by_day.len(), 365);
        assert_eq!(installs.by_day[0], (today.chart_begin(), 100));
        assert_eq!(installs.by_day.last(), Some(&(today, 3)));
        assert_eq!(installs.by_version[0].0, "2.0.0.0", "the most installed comes first");
    }

    #[test]
    fn a_day_is_one_in_utc() {
        for (instant, day) in [
            ("2026-03-01T00:30:00+02:00", "2026-02-28"),
            ("1969-12-31T23:59:59Z", "1969-12-31"),
            ("1970-01-01T00:00:00Z", "1970-01-01"),
        ] {
            assert_eq!(Day::of(instant.parse().unwrap()).to_string(), day, "{instant}");
        }
    }
}
