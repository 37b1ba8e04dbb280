//! The query language of lists (`q=`), as far as clients of repositories use it:
//! `= != ~ !~ > >= < <= IN NOT IN`, `AND`, `OR`, parentheses.

use serde_json::Value;

/// A condition on an object.
#[derive(Debug, PartialEq)]
pub(crate) enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Compare { field: String, operator: String, value: Value },
}

impl Filter {
    /// `None` if the text is no query.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parser = Parser { words: words(text)?, at: 0 };
        let filter = parser.any()?;
        (parser.at == parser.words.len()).then_some(filter)
    }

    pub(crate) fn accepts(&self, object: &Value) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.accepts(object)),
            Self::Any(parts) => parts.iter().any(|part| part.accepts(object)),
            Self::Compare { field, operator, value } => compare(at(object, field), operator, value),
        }
    }

    /// How many values the longest list in the query has.
    pub(crate) fn longest_list(&self) -> usize {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().map(Self::longest_list).max().unwrap_or_default()
            }
            Self::Compare { value, .. } => value.as_array().map_or(0, Vec::len),
        }
    }
}

/// The value at a path of names with dots; what is not there is null.
pub(crate) fn at<'a>(object: &'a Value, field: &str) -> &'a Value {
    field.split('.').fold(object, |value, name| value.get(name).unwrap_or(&Value::Null))
}

fn compare(found: &Value, operator: &str, wanted: &Value) -> bool {
    let found_text = found.as_str().unwrap_or_default();
    let wanted_text = wanted.as_str().unwrap_or_default();
    match operator {
        "=" => found == wanted,
        "!=" => found != wanted,
        "~" => found_text.to_lowercase().contains(&wanted_text.to_lowercase()),
        "!~" => !found_text.to_lowercase().contains(&wanted_text.to_lowercase()),
        "IN" => wanted.as_array().is_some_and(|list| list.contains(found)),
        "NOT IN" => wanted.as_array().is_some_and(|list| !list.contains(found)),
        _ => {
            let order = rank(found_text).cmp(&rank(wanted_text));
            order.is_gt() && operator.starts_with('>')
                || order.is_lt() && operator.starts_with('<')
                || order.is_eq() && operator.ends_with('=')
        }
    }
}

/// Levels of permission have an order of their own; instants and other texts sort as they are.
fn rank(text: &str) -> (usize, &str) {
    (["none", "read", "write", "admin"].iter().position(|level| *level == text).unwrap_or_default(), text)
}

#[derive(Debug, Clone, PartialEq)]
enum Word {
    /// Parenthesis, comma, operator or unquoted text.
    Plain(String),
    Quoted(String),
}

fn words(text: &str) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, after) = match first {
            '"' => quoted(&rest[1..])?,
            '(' | ')' | ',' => (Word::Plain(first.to_string()), &rest[1..]),
            '=' | '!' | '~' | '<' | '>' => split(rest, |c| !"=!~<>".contains(c)),
            _ => split(rest, |c| c.is_whitespace() || "=!~<>(),\"".contains(c)),
        };
        words.push(word);
        rest = after.trim_start();
    }
    Some(words)
}

fn split(text: &str, ends: impl Fn(char) -> bool) -> (Word, &str) {
    let (word, rest) = text.split_at(text.find(ends).unwrap_or(text.len()));
    (Word::Plain(word.to_owned()), rest)
}

fn quoted(text: &str) -> Option<(Word, &str)> {
    let mut content = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((Word::Quoted(content), &text[at + 1..])),
            '\\' => content.push(characters.next()?.1),
            _ => content.push(character),
        }
    }
    None
}

struct Parser {
    words: Vec<Word>,
    at: usize,
}

impl Parser {
    fn any(&mut self) -> Option<Filter> {
        let mut parts = vec![self.all()?];
        while self.takes("OR") {
            parts.push(self.all()?);
        }
        Some(if parts.len() == 1 { parts.remove(0) } else { Filter::Any(parts) })
    }

    fn all(&mut self) -> Option<Filter> {
        let mut parts = vec![self.single()?];
        while self.takes("AND") {
            parts.push(self.single()?);
        }
        Some(if parts.len() == 1 { parts.remove(0) } else { Filter::All(parts) })
    }

    fn single(&mut self) -> Option<Filter> {
        if self.takes("(") {
            let inner = self.any()?;
            return self.takes(")").then_some(inner);
        }
        let field = self.plain()?;
        let operator = match self.plain()?.to_uppercase().as_str() {
            "NOT" if self.takes("IN") => "NOT IN".to_owned(),
            operator @ ("=" | "!=" | "~" | "!~" | ">" | ">=" | "<" | "<=" | "IN") => operator.to_owned(),
            _ => return None,
        };
        let value = if operator.ends_with("IN") { self.list()? } else { self.value()? };
        Some(Filter::Compare { field, operator, value })
    }

    fn list(&mut self) -> Option<Value> {
        let mut values = Vec::new();
        if !self.takes("(") {
            return None;
        }
        while !self.takes(")") {
            values.push(self.value()?);
            self.takes(",");
        }
        Some(Value::Array(values))
    }

    fn value(&mut self) -> Option<Value> {
        let word = self.words.get(self.at)?.clone();
        self.at += 1;
        Some(match word {
            Word::Quoted(text) => Value::String(text),
            Word::Plain(text) => match text.as_str() {
                "(" | ")" | "," => return None,
                "null" => Value::Null,
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                _ => Value::String(text),
            },
        })
    }

    fn plain(&mut self) -> Option<String> {
        match self.words.get(self.at)?.clone() {
            Word::Plain(text) => {
                self.at += 1;
                Some(text)
            }
            Word::Quoted(_) => None,
        }
    }

    fn takes(&mut self, wanted: &str) -> bool {
        let is_next =
            matches!(self.words.get(self.at), Some(Word::Plain(text)) if text.eq_ignore_ascii_case(wanted));
        self.at += usize::from(is_next);
        is_next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn queries_choose_objects() {
        let object = json!({
            "name": "Mailer", "scm": "git", "is_private": true, "parent": null, "permission": "write",
            "updated_on": "2026-08-01T10:00:00.000000+00:00", "project": {"key": "PHP"},
        });
        let rows = [
            (r#"name="Mailer""#, Some(true)),
            (r#"name = "mailer""#, Some(false)),
            (r#"name ~ "MAIL" AND scm = "git""#, Some(true)),
            (r#"name="x" OR (is_private=true AND project.key="PHP")"#, Some(true)),
            (r#"name IN ("a", "Mailer")"#, Some(true)),
            (r#"name NOT IN ("a","Mailer")"#, Some(false)),
            ("parent = null", Some(true)),
            ("updated_on > 2026-01-01T00:00:00Z", Some(true)),
            ("updated_on<2026-01-01", Some(false)),
            (r#"permission>"read""#, Some(true)),
            (r#"permission>"write""#, Some(false)),
            (r#"permission>="write""#, Some(true)),
            (r#"name="say \"hi\"""#, Some(false)),
            ("name", None),
            (r#"name="open"#, None),
            ("(name=1", None),
            ("name==1", None),
            ("", None),
        ];
        for (query, expected) in rows {
            assert_eq!(Filter::parse(query).map(|filter| filter.accepts(&object)), expected, "{query}");
        }
    }
}
