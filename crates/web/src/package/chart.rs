//! The installs of a year as a picture: one bar a week, and the same as a table.

use stave_domain::install::{Day, Installs};
use std::fmt::Write;

/// Installs of a week.
pub(super) struct Week {
    /// Its first day.
    pub(super) begins: Day,
    /// How many.
    pub(super) count: u64,
}

/// How wide a week is.
const STEP: u64 = 14;
const HEIGHT: u64 = 96;

/// The weeks of the last year, the last one ends today; none if nothing was installed.
pub(super) fn weeks(installs: &Installs) -> Vec<Week> {
    let days = &installs.by_day;
    let weeks = days
        .rchunks(7)
        .map(|week| Week { begins: week[0].0, count: week.iter().map(|(_, count)| count).sum() });
    let mut weeks: Vec<Week> = weeks.filter(|_| days.iter().any(|(_, count)| *count > 0)).collect();
    weeks.reverse();
    weeks
}

/// An SVG of one bar a week. It needs no style of its own: the stylesheet colours it.
pub(super) fn svg(weeks: &[Week]) -> String {
    let most = weeks.iter().map(|week| week.count).max().unwrap_or(0).max(1);
    let width = STEP * u64::try_from(weeks.len()).unwrap_or(1);
    let mut svg = format!(
        "<svg class=\"chart\" viewBox=\"0 0 {width} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"Installs per week of the last year\">"
    );
    for (number, week) in (0_u64..).zip(weeks) {
        // What was installed at all is seen.
        let height = (week.count * HEIGHT / most).max(u64::from(week.count > 0));
        let (x, y) = (number * STEP, HEIGHT - height);
        // Writing into a text does not fail.
        _ = write!(
            svg,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{height}\"><title>{} from {}</title></rect>",
            STEP - 2,
            week.count,
            week.begins
        );
    }
    svg + "</svg>"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_has_fifty_three_bars_and_no_installs_have_none() {
        let by_day: Vec<(Day, u64)> = (0..365).map(|day| (Day(day), u64::from(day == 364))).collect();
        let installs = Installs { by_day, ..Installs::default() };
        let weeks = weeks(&installs);
        assert_eq!((weeks.len(), weeks[0].begins, weeks[52].count), (53, Day(0), 1));
        let drawn = svg(&weeks);
        assert_eq!(drawn.matches("<rect").count(), 53);
        assert!(drawn.contains(&format!("height=\"{HEIGHT}\"><title>1 from 1970-12-25</title>")), "{drawn}");
        assert!(super::weeks(&Installs { by_day: vec![(Day(1), 0)], ..Installs::default() }).is_empty());
    }
}
