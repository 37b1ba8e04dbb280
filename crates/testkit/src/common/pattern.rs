//! Requests that are meant by a text.

/// Which requests are meant: `/2.0/user*`, or `POST /2.0/*/hooks` if only one method is. `*` stands for any text, also
/// an empty one.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    method: Option<String>,
    path: String,
}

impl Pattern {
    pub(crate) fn new(text: &str) -> Self {
        match text.split_once(' ') {
            Some((method, path)) => Self { method: Some(method.to_owned()), path: path.to_owned() },
            None => Self { method: None, path: text.to_owned() },
        }
    }

    /// Whether a request with this method and path is meant.
    pub(crate) fn means(&self, method: &str, path: &str) -> bool {
        self.method.as_ref().is_none_or(|wanted| wanted == method) && matches(&self.path, path)
    }
}

fn matches(pattern: &str, path: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == path,
        Some((start, rest)) => path.strip_prefix(start).is_some_and(|path| {
            path.char_indices().map(|(at, _)| at).chain([path.len()]).any(|at| matches(rest, &path[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        let rows = [
            ("/2.0/user", "/2.0/user", true),
            ("/2.0/user", "/2.0/user/emails", false),
            ("/2.0/user*", "/2.0/user", true),
            ("*.git/*", "/acme/mailer.git/info/refs", true),
            ("*.git/*", "/acme/mailer", false),
            ("/2.0/*/hooks", "/2.0/repositories/acme/mailer/hooks", true),
            ("/2.0/*/hooks", "/2.0/repositories/acme/mailer/hooks/1", false),
            ("GET /2.0/*/hooks", "/2.0/repositories/acme/mailer/hooks", true),
            ("POST /2.0/*/hooks", "/2.0/repositories/acme/mailer/hooks", false),
        ];
        for (pattern, path, expected) in rows {
            assert_eq!(Pattern::new(pattern).means("GET", path), expected, "{pattern} {path}");
        }
    }
}
