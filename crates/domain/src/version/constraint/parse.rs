//! Reading a constraint, with every habit of composer/semver's `parseConstraints`.

use super::{Constraint, Operator};
use crate::{
    Invalid, shortened,
    version::{
        normalize::{MODIFIER, SPACE, normalize, php_trim, regex, without_alias},
        stability::Stability,
    },
};
use regex::{Captures, Regex};
use std::sync::LazyLock;

/// `|` or `||` is "or" and binds weakest; a comma or a space is "and".
pub(super) fn constraint(text: &str) -> Result<Constraint, Invalid> {
    static OR: LazyLock<Regex> = LazyLock::new(|| regex(&format!(r"[{SPACE}]*\|\|?[{SPACE}]*")));
    let groups = OR.split(php_trim(text)).map(group).collect::<Option<Vec<_>>>().ok_or_else(|| {
        let text = shortened(text, 80);
        Invalid::because(format!(
            "“{text}” is not a version constraint. One looks like ^1.2, ~2.0.3, >=1.0 <3.0 or dev-main."
        ))
    })?;
    Ok(any_of(groups))
}

fn group(text: &str) -> Option<Constraint> {
    let mut parts = Vec::new();
    for part in split_at_and(text) {
        parts.extend(single(part)?);
    }
    Some(if parts.len() == 1 { parts.remove(0) } else { Constraint::All(parts) })
}

/// Ranges that touch become one: `^1.0 || ^2.0` is `>=1.0 <3.0`.
fn any_of(groups: Vec<Constraint>) -> Constraint {
    let mut merged: Vec<Constraint> = Vec::new();
    for group in groups {
        if let Some(last) = merged.last_mut()
            && let Some(both) = joined(last, &group)
        {
            *last = both;
        } else {
            merged.push(group);
        }
    }
    if merged.len() == 1 { merged.remove(0) } else { Constraint::AnyOf(merged) }
}

fn joined(left: &Constraint, right: &Constraint) -> Option<Constraint> {
    let (from, end) = range(left)?;
    let (start, to) = range(right)?;
    (end == start).then(|| between(from.to_owned(), to.to_owned()))
}

fn range(constraint: &Constraint) -> Option<(&str, &str)> {
    match constraint {
        Constraint::All(parts) => match parts.as_slice() {
            [Constraint::One(Operator::GreaterOrEqual, from), Constraint::One(Operator::Less, to)] => {
                Some((from, to))
            }
            _ => None,
        },
        _ => None,
    }
}

fn between(from: String, to: String) -> Constraint {
    Constraint::All(vec![
        Constraint::One(Operator::GreaterOrEqual, from),
        Constraint::One(Operator::Less, to),
    ])
}

fn split_at_and(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut at) = (Vec::new(), 0, 0);
    while at < text.len() {
        match separator_end(text.as_bytes(), at) {
            Some(end) => {
                parts.push(&text[start..at]);
                (start, at) = (end, end);
            }
            None => at += 1,
        }
    }
    parts.push(&text[start..]);
    parts
}

/// Where the "and" that begins at `at` ends. Spaces around operators, around the dash of a range and around `as` are no
/// "and". In composer/semver: `(?<!^|as|[=>< ,]) *(?<!-)[, ](?!-) *(?!,|as|$)`, tried from the longest run of spaces down.
fn separator_end(text: &[u8], at: usize) -> Option<usize> {
    let before = &text[..at];
    if before.last().is_none_or(|last| b"=>< ,".contains(last)) || before.ends_with(b"as") {
        return None;
    }
    let spaces_from = |from: usize| text[from..].iter().take_while(|byte| **byte == b' ').count();
    let is_separator = |at: usize| {
        matches!(text.get(at), Some(b',' | b' ')) && text[at - 1] != b'-' && text.get(at + 1) != Some(&b'-')
    };
    let begins_a_part = |rest: &[u8]| !rest.is_empty() && !rest.starts_with(b",") && !rest.starts_with(b"as");
    let separators = (at..=at + spaces_from(at)).rev().filter(|at| is_separator(*at));
    separators
        .map(|at| at + 1)
        .find_map(|after| (after..=after + spaces_from(after)).rev().find(|end| begins_a_part(&text[*end..])))
}

/// One part between the "and"s; it may stand for two comparisons.
fn single(text: &str) -> Option<Vec<Constraint>> {
    let (text, stability) = without_stability(without_alias(text));
    let text = without_reference(text);
    if let Some(any) = wildcard(text) {
        return Some(vec![any]);
    }
    if let Some(found) = TILDE.captures(text) {
        return tilde(text, &found);
    }
    if let Some(found) = CARET.captures(text) {
        return caret(text, &found);
    }
    if let Some(found) = X_RANGE.captures(text) {
        return x_range(&found);
    }
    if let Some(found) = HYPHEN.captures(text) {
        return hyphen(&found);
    }
    comparison(text, stability)
}

/// The constraint without its `@beta`, and the stability that this asks for.
fn without_stability(text: &str) -> (&str, Option<&str>) {
    static PATTERN: LazyLock<Regex> = LazyLock::new(|| {
        regex(&format!(r"^(?P<version>[^,{SPACE}]*?)@(?P<stability>(?-u:stable)|RC|beta|alpha|dev)$"))
    });
    let Some(found) = PATTERN.captures(text) else { return (text, None) };
    let version = found.name("version").map_or("", |m| m.as_str());
    let stability = found.name("stability").map(|m| m.as_str()).filter(|stability| *stability != "stable");
    (if version.is_empty() { "*" } else { version }, stability)
}

/// `dev-main` of `dev-main#abc123`: the commit is the client's affair.
fn without_reference(text: &str) -> &str {
    static PATTERN: LazyLock<Regex> =
        LazyLock::new(|| regex(&format!(r"^(dev-[^,{SPACE}@]+?|[^,{SPACE}@]+?\.x-dev)#.+$")));
    PATTERN.captures(text).and_then(|found| found.get(1)).map_or(text, |m| m.as_str())
}

fn wildcard(text: &str) -> Option<Constraint> {
    static PATTERN: LazyLock<Regex> = LazyLock::new(|| regex(r"^(v)?[x*](\.[x*])*$"));
    let found = PATTERN.captures(text)?;
    let numbers_only = found.get(1).is_some() || found.get(2).is_some();
    Some(if numbers_only {
        Constraint::One(Operator::GreaterOrEqual, "0.0.0.0-dev".to_owned())
    } else {
        Constraint::Any
    })
}

/// A version inside a range. `prefix` tells the groups of two of them apart.
fn version_pattern(prefix: &str) -> String {
    let modifier = MODIFIER.replace("(?P<", &format!("(?P<{prefix}"));
    format!(
        r"v?(?P<{prefix}1>[0-9]+)(?:\.(?P<{prefix}2>[0-9]+))?(?:\.(?P<{prefix}3>[0-9]+))?(?:\.(?P<{prefix}4>[0-9]+))?(?:{modifier}|\.(?P<{prefix}xdev>[x*][.-]?dev))(?:\+[^{SPACE}]+)?"
    )
}

static TILDE: LazyLock<Regex> = LazyLock::new(|| regex(&format!("^~{}$", version_pattern("v"))));
static CARET: LazyLock<Regex> = LazyLock::new(|| regex(&format!(r"^\^{}$", version_pattern("v"))));
static X_RANGE: LazyLock<Regex> =
    LazyLock::new(|| regex(r"^(?-i:v)?(?P<v1>[0-9]+)(?:\.(?P<v2>[0-9]+))?(?:\.(?P<v3>[0-9]+))?(?:\.[x*])+$"));
static HYPHEN: LazyLock<Regex> = LazyLock::new(|| {
    regex(&format!("^(?P<from>{}) +- +(?P<to>{})$", version_pattern("f"), version_pattern("t")))
});

fn has(found: &Captures<'_>, group: &str) -> bool {
    found.name(group).is_some_and(|part| !part.as_str().is_empty())
}

/// Whether a version carries no suffix: as a lower bound it then lets its own pre-releases in.
fn is_bare(found: &Captures<'_>, prefix: &str) -> bool {
    !["word", "dev", "xdev"].iter().any(|group| has(found, &format!("{prefix}{group}")))
}

/// `~1.2.3`: the last position that is given may move, never the first alone.
fn tilde(text: &str, found: &Captures<'_>) -> Option<Vec<Constraint>> {
    let given = (2..=4).rev().find(|index| has(found, &format!("v{index}"))).unwrap_or(1);
    let position = if has(found, "vxdev") { given + 1 } else { given };
    ranging(text, found, (position - 1).max(1))
}

/// `^1.2.3`: everything right of the first number that is not zero may move.
fn caret(text: &str, found: &Captures<'_>) -> Option<Vec<Constraint>> {
    let is_zero_before_more =
        |index: usize| &found[format!("v{index}").as_str()] == "0" && has(found, &format!("v{}", index + 1));
    let position = match (is_zero_before_more(1), has(found, "v2") && is_zero_before_more(2)) {
        (false, _) => 1,
        (true, false) => 2,
        (true, true) => 3,
    };
    ranging(text, found, position)
}

/// From the version itself up to the next one at a position.
fn ranging(text: &str, found: &Captures<'_>, position: usize) -> Option<Vec<Constraint>> {
    let suffix = if is_bare(found, "v") { "-dev" } else { "" };
    let from = normalize(&format!("{}{suffix}", &text[1..])).ok()?;
    Some(vec![
        Constraint::One(Operator::GreaterOrEqual, from),
        Constraint::One(Operator::Less, numbers(found, "v", position, 1)?),
    ])
}

/// `1.2.x`.
fn x_range(found: &Captures<'_>) -> Option<Vec<Constraint>> {
    let position = (2..=3).rev().find(|index| has(found, &format!("v{index}"))).unwrap_or(1);
    let from = numbers(found, "v", position, 0)?;
    let below = Constraint::One(Operator::Less, numbers(found, "v", position, 1)?);
    Some(if from == "0.0.0.0-dev" {
        vec![below]
    } else {
        vec![Constraint::One(Operator::GreaterOrEqual, from), below]
    })
}

/// `1.0 - 2.0`: an upper end of one or two numbers takes in everything that begins so.
fn hyphen(found: &Captures<'_>) -> Option<Vec<Constraint>> {
    let suffix = if is_bare(found, "f") { "-dev" } else { "" };
    let from = format!("{}{suffix}", normalize(&found["from"]).ok()?);
    let to = normalize(&found["to"]).ok()?;
    let is_exact = (has(found, "t2") && has(found, "t3")) || !is_bare(found, "t");
    let upper = if is_exact {
        Constraint::One(Operator::LessOrEqual, to)
    } else {
        Constraint::One(Operator::Less, numbers(found, "t", if has(found, "t2") { 2 } else { 1 }, 1)?)
    };
    Some(vec![Constraint::One(Operator::GreaterOrEqual, from), upper])
}

/// The four numbers up to a position, that one moved by `step`, zeros behind it. `None` if a number is beyond counting.
fn numbers(found: &Captures<'_>, prefix: &str, position: usize, step: u64) -> Option<String> {
    let mut parts = Vec::with_capacity(4);
    for index in 1..=4 {
        let written = found.name(&format!("{prefix}{index}")).map_or("", |part| part.as_str());
        parts.push(match index {
            _ if index > position => "0".to_owned(),
            _ if index == position && step > 0 => written.parse::<u64>().ok()?.checked_add(step)?.to_string(),
            _ => written.to_owned(),
        });
    }
    Some(format!("{}-dev", parts.join(".")))
}

/// `>=1.0`, `!=2.0`, `1.0`.
fn comparison(text: &str, stability: Option<&str>) -> Option<Vec<Constraint>> {
    static PATTERN: LazyLock<Regex> =
        LazyLock::new(|| regex(&format!(r"^(?P<operator><>|!=|>=?|<=?|==?)?[{SPACE}]*(?P<version>.*)")));
    static SUFFIX: LazyLock<Regex> = LazyLock::new(|| regex(&format!("-{MODIFIER}$")));
    let found = PATTERN.captures(text)?;
    let written = &found["version"];
    let operator = match found.name("operator").map_or("", |m| m.as_str()) {
        "<>" | "!=" => Operator::NotEqual,
        ">" => Operator::Greater,
        ">=" => Operator::GreaterOrEqual,
        "<" => Operator::Less,
        "<=" => Operator::LessOrEqual,
        _ => Operator::Equal,
    };
    let mut version = normalize(written).ok().or_else(|| branch_written_backwards(written))?;
    match (operator, stability) {
        (Operator::Equal, _) => {}
        (_, Some(stability)) if Stability::of(&version) == Stability::Stable => {
            version = format!("{version}-{stability}");
        }
        (Operator::Less | Operator::GreaterOrEqual, _)
            if !SUFFIX.is_match(written) && !written.starts_with("dev-") =>
        {
            version.push_str("-dev");
        }
        _ => {}
    }
    Some(vec![Constraint::One(operator, version)])
}

/// `foobar-dev`, by which `dev-foobar` is meant.
fn branch_written_backwards(written: &str) -> Option<String> {
    let name = written.strip_suffix("-dev")?;
    let is_plain = written.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-./".contains(&byte));
    if is_plain { normalize(&format!("dev-{name}")).ok() } else { None }
}
