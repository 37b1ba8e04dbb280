//! Web pages, of which only a few words are understood.

/// So much of a page is looked at.
const LONGEST_BYTES: usize = 64 * 1024;
/// What stands between these is not shown.
const HIDDEN: [(&str, &str); 3] = [("<script", "</script"), ("<style", "</style"), ("<!--", "--")];

/// What a person would read, in lower case, its white space single spaces.
pub(crate) fn text(html: &[u8]) -> String {
    let html = beginning(html);
    let mut shown = String::new();
    let mut rest = html.as_str();
    while let Some(at) = rest.find('<') {
        shown.push_str(&rest[..at]);
        shown.push(' ');
        let tag = &rest[at..];
        let hidden = HIDDEN.iter().find(|(start, _)| tag.starts_with(start));
        let (start, end) = hidden.copied().unwrap_or(("<", ""));
        let inside = &tag[start.len()..];
        let end_at = inside.find(end).unwrap_or(inside.len());
        rest = inside[end_at..].split_once('>').map_or("", |(_, after)| after);
    }
    shown.push_str(rest);
    let shown =
        shown.replace("&nbsp;", " ").replace("&#39;", "'").replace("&quot;", "\"").replace("&amp;", "&");
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What the browser shows above the page, as it is written; at most 60 characters.
pub(crate) fn title(html: &[u8]) -> Option<String> {
    let html = String::from_utf8_lossy(&html[..html.len().min(LONGEST_BYTES)]);
    let start = html.to_ascii_lowercase().find("<title")?;
    let (title, _) = html[start..].split_once('>')?.1.split_once('<')?;
    let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    (!title.is_empty()).then(|| title.chars().filter(|c| !c.is_control()).take(60).collect())
}

/// Whether there is a field for a password.
pub(crate) fn asks_for_password(html: &[u8]) -> bool {
    let html = beginning(html);
    ["type=\"password\"", "type='password'", "type=password"].iter().any(|field| html.contains(field))
}

/// Whether a text that people read is about logging in.
pub(crate) fn is_about_log_in(text: &str) -> bool {
    ["log in", "login", "sign in", "single sign-on", "saml"].iter().any(|words| text.contains(words))
}

/// In lower case, so that tags and words are found however they are written.
pub(crate) fn beginning(html: &[u8]) -> String {
    String::from_utf8_lossy(&html[..html.len().min(LONGEST_BYTES)]).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_people_read_counts() {
        for (html, shown) in [
            ("<title>Log in</title><p>Who are  you?</p>", "log in who are you?"),
            ("<script>var a = '<b>redirect_uri</b>';</script>Hello", "hello"),
            ("<style>p > a {}</style><a href=\"?redirect_uri=x\">Go</a>", "go"),
            ("a<!-- <p>hidden</p> -->b", "a b"),
            ("plain text", "plain text"),
            ("broken <p", "broken"),
            ("<script>never ends", ""),
            ("", ""),
        ] {
            assert_eq!(text(html.as_bytes()), shown, "{html}");
        }
    }
}
