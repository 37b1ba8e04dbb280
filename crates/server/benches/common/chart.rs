//! Line charts with logarithmic axes, as SVG.

use std::fmt::Write as _;

/// One line of a chart: a name and points (x, y), both above zero.
pub(crate) struct Line {
    pub(crate) name: &'static str,
    pub(crate) points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 210.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 48.0;
/// Readable on white and on black, and told apart by people who see few colours.
const COLOURS: [&str; 6] = ["#3b7dd8", "#d8703b", "#3d9a50", "#a05cc4", "#b08a1e", "#c8446b"];

/// From a power of ten to a power of ten.
struct Axis {
    first: i32,
    last: i32,
    from: f64,
    to: f64,
}

impl Axis {
    fn of(values: impl Iterator<Item = f64> + Clone, from: f64, to: f64) -> Self {
        let bottom = values.clone().fold(f64::MAX, f64::min).log10().floor();
        let top = values.fold(f64::MIN, f64::max).log10().ceil();
        #[expect(clippy::cast_possible_truncation, reason = "powers of ten are small")]
        let (first, last) = (bottom as i32, (top as i32).max(bottom as i32 + 1));
        Self { first, last, from, to }
    }

    fn place(&self, value: f64) -> f64 {
        let share = (value.log10() - f64::from(self.first)) / f64::from(self.last - self.first);
        self.from + share * (self.to - self.from)
    }

    fn ticks(&self) -> impl Iterator<Item = (f64, String)> + '_ {
        (self.first..=self.last).map(|power| {
            let value = 10f64.powi(power);
            let text = match power {
                6.. => format!("{}M", 10f64.powi(power - 6)),
                3..6 => format!("{}k", 10f64.powi(power - 3)),
                _ => format!("{value}"),
            };
            (self.place(value), text)
        })
    }
}

/// The chart as a file. `steps` says what runs to the right, `title` what runs up.
pub(crate) fn svg(title: &str, steps: &str, lines: &[Line]) -> String {
    let points = || lines.iter().flat_map(|line| line.points.iter().copied());
    let across = Axis::of(points().map(|(x, _)| x), LEFT, WIDTH - RIGHT);
    let up = Axis::of(points().map(|(_, y)| y), HEIGHT - BOTTOM, TOP);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"13\" role=\"img\">\n\
         <title>{title}, by {steps}</title>\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n\
         <text x=\"{LEFT}\" y=\"24\" font-weight=\"bold\">{title}</text>\n"
    );
    let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    for (x, text) in across.ticks() {
        _ = writeln!(
            svg,
            "<path d=\"M{x:.1} {TOP}V{bottom}\" stroke=\"#ddd\"/><text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{text}</text>",
            bottom + 18.0
        );
    }
    for (y, text) in up.ticks() {
        _ = writeln!(
            svg,
            "<path d=\"M{LEFT} {y:.1}H{right}\" stroke=\"#ddd\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>",
            LEFT - 8.0,
            y + 4.0
        );
    }
    _ = writeln!(svg, "<text x=\"{right}\" y=\"{:.1}\" text-anchor=\"end\">{steps}</text>", HEIGHT - 10.0);
    for (number, (line, colour)) in lines.iter().zip(COLOURS).enumerate() {
        let places: Vec<String> =
            line.points.iter().map(|(x, y)| format!("{:.1},{:.1}", across.place(*x), up.place(*y))).collect();
        _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            places.join(" ")
        );
        for place in &places {
            let (x, y) = place.split_once(',').unwrap();
            _ = writeln!(svg, "<circle cx=\"{x}\" cy=\"{y}\" r=\"3.5\" fill=\"{colour}\"/>");
        }
        let y = TOP + 12.0 + 22.0 * f64::from(u8::try_from(number).unwrap());
        _ = writeln!(
            svg,
            "<path d=\"M{0:.1} {1:.1}h18\" stroke=\"{colour}\" stroke-width=\"3\"/><text x=\"{2:.1}\" y=\"{y:.1}\">{3}</text>",
            right + 14.0,
            y - 4.0,
            right + 38.0,
            line.name
        );
    }
    svg + "</svg>\n"
}
