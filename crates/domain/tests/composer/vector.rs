//! Reading the vectors and reporting all failing cases at once.

use serde_json::Value;
use std::fmt::Debug;

/// The cases of a vector file.
pub(crate) fn cases(file: &str) -> Vec<Value> {
    list(file, "cases")
}

/// Another list of a vector file.
pub(crate) fn list(file: &str, key: &str) -> Vec<Value> {
    let list = whole(file)[key].as_array().cloned().unwrap_or_default();
    assert!(!list.is_empty(), "{file}.json has no {key}");
    list
}

/// A vector file.
pub(crate) fn whole(file: &str) -> Value {
    let path = format!("{}/tests/vectors/{file}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// A text of a case.
pub(crate) fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().unwrap_or_else(|| panic!("{case} has no text {key}"))
}

/// The cases that went wrong.
#[derive(Default)]
pub(crate) struct Failures {
    compared: usize,
    lines: Vec<String>,
}

impl Failures {
    /// Notes a case whose answer is not the expected one.
    #[expect(clippy::needless_pass_by_value, reason = "the cases read better without ampersands")]
    pub(crate) fn compare<T: PartialEq + Debug>(&mut self, input: &str, answer: T, expected: T) {
        self.compared += 1;
        if answer != expected {
            self.lines.push(format!("{input:?} gives {answer:?}, expected {expected:?}"));
        }
    }

    /// Fails if any case went wrong, or if there was none.
    pub(crate) fn report(self) {
        assert!(self.compared > 0, "nothing was compared");
        assert!(
            self.lines.is_empty(),
            "{} of {} failed:\n{}",
            self.lines.len(),
            self.compared,
            self.lines.join("\n")
        );
    }
}
