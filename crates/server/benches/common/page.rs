//! Where figures go: on the standard output and, with `STAVE_TEST_UPDATE` set, between two marks in docs/performance.md.

use std::{fs, path::PathBuf};

/// Rows of texts, the first of which are the titles.
pub(crate) struct Table(Vec<Vec<String>>);

impl Table {
    pub(crate) fn new(titles: &[&str]) -> Self {
        Self(vec![titles.iter().map(|title| (*title).to_owned()).collect()])
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.0.push(cells);
    }

    /// In Markdown, the columns one below the other.
    pub(crate) fn text(&self) -> String {
        let widths: Vec<usize> = (0..self.0[0].len())
            .map(|column| self.0.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
            .collect();
        let line = |row: &Vec<String>| {
            let cells: Vec<String> =
                row.iter().zip(&widths).map(|(cell, width)| format!("{cell:>width$}")).collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let rule: Vec<String> = widths.iter().map(|width| format!("{}:", "-".repeat(width - 1))).collect();
        let rows: String = self.0[1..].iter().map(line).collect();
        format!("{}| {} |\n{rows}", line(&self.0[0]), rule.join(" | "))
    }
}

/// Puts a text between `<!-- name -->` and `<!-- /name -->` in docs/performance.md, if that is wanted.
pub(crate) fn publish(name: &str, text: &str) {
    println!("{text}");
    if std::env::var_os("STAVE_TEST_UPDATE").is_none() {
        return;
    }
    let path = docs().join("performance.md");
    let page = fs::read_to_string(&path).unwrap();
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (before, rest) = page.split_once(&begin).expect("the page has the mark");
    let (_, after) = rest.split_once(&end).expect("the page has the other mark");
    fs::write(path, format!("{before}{begin}{text}{end}{after}")).unwrap();
}

/// The folder of the manual.
pub(crate) fn docs() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// A number with as many digits as mean something.
pub(crate) fn figure(number: f64) -> String {
    match number.abs() {
        large if large >= 100.0 => {
            let digits = format!("{number:.0}");
            let groups: Vec<&str> =
                digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap()).collect();
            groups.join(",")
        }
        middle if middle >= 10.0 => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    }
}
