//! What of a Log somebody wants to see, as it stands in the address.

use jiff::{ToSpan as _, civil::Date, tz::TimeZone};
use stave_app::Problems;
use stave_domain::{Timestamp, id::LogEntryId, log::LogFilter};
use url::form_urlencoded::Serializer;

/// `?who=&what=&from=&until=&before=`; what is empty does not matter.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct LogQuery {
    /// A part of a name.
    pub(super) who: String,
    /// A part of what was done.
    pub(super) what: String,
    /// The first day, as browsers send it: `2026-11-22`.
    pub(super) from: String,
    /// The last day.
    pub(super) until: String,
    /// The id of the line before which the page begins.
    pub(super) before: String,
}

impl LogQuery {
    /// What it asks for, or which dates are none. Days are those of UTC, as the page shows them.
    pub(super) fn filter(&self) -> Result<LogFilter, Problems> {
        let mut problems = Problems::default();
        let from = day(&mut problems, "from", &self.from);
        let until = day(&mut problems, "until", &self.until);
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(LogFilter {
            actor: self.who.trim().to_owned(),
            action: self.what.trim().to_owned(),
            from: from.and_then(start_of),
            until: until.and_then(|day| start_of(day.checked_add(1.day()).ok()?)),
        })
    }

    /// Whether anything is looked for.
    pub(super) fn is_narrow(&self) -> bool {
        self.pairs().iter().any(|(_, value)| !value.is_empty())
    }

    /// The address of a page with the same filter.
    pub(super) fn at(&self, path: &str, before: Option<LogEntryId>) -> String {
        let mut query = Serializer::new(String::new());
        query.extend_pairs(self.pairs().into_iter().filter(|(_, value)| !value.is_empty()));
        if let Some(before) = before {
            query.append_pair("before", &before.to_string());
        }
        match query.finish().as_str() {
            "" => path.to_owned(),
            query => format!("{path}?{query}"),
        }
    }

    fn pairs(&self) -> [(&'static str, &str); 4] {
        [("who", &self.who), ("what", &self.what), ("from", &self.from), ("until", &self.until)]
            .map(|(name, value)| (name, value.trim()))
    }
}

fn day(problems: &mut Problems, field: &'static str, typed: &str) -> Option<Date> {
    let typed = typed.trim();
    if typed.is_empty() {
        return None;
    }
    let day = typed.parse().ok();
    if day.is_none() {
        problems.add(field, "This is not a day. Write it as 2026-11-22, or leave it empty.");
    }
    day
}

fn start_of(day: Date) -> Option<Timestamp> {
    Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(from: &str, until: &str) -> LogQuery {
        LogQuery { from: from.into(), until: until.into(), ..LogQuery::default() }
    }

    #[test]
    fn the_last_day_is_within() {
        let filter = query("2026-11-22", " 2026-11-30 ").filter().unwrap();
        assert_eq!(filter.from, Some("2026-11-22T00:00:00Z".parse().unwrap()));
        assert_eq!(filter.until, Some("2026-12-01T00:00:00Z".parse().unwrap()));
        assert_eq!(query("", " ").filter().unwrap(), LogFilter::default());
        let problems = query("22.11.2026", "2026-02-30").filter().unwrap_err();
        assert!(problems.of("from").is_some() && problems.of("until").is_some());
    }

    #[test]
    fn pages_keep_what_is_looked_for() {
        let query = LogQuery { who: " a&b ".into(), before: "x".into(), ..query("2026-11-22", "") };
        assert_eq!(query.at("/admin/log", None), "/admin/log?who=a%26b&from=2026-11-22");
        let id: LogEntryId = uuid::Uuid::nil().into();
        assert!(
            query.at("/admin/log.csv", Some(id)).ends_with("&before=00000000-0000-0000-0000-000000000000")
        );
        assert_eq!(LogQuery::default().at("/admin/log", None), "/admin/log");
        assert!(query.is_narrow() && !LogQuery::default().is_narrow());
    }
}
