//! Forms as browsers understand them: what would be sent if a button were pressed.

use reqwest::Method;

/// A form on a page, filled in as it came, with the button that is about to be pressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) method: Method,
    /// Relative to the page; empty is the page itself.
    pub(crate) action: String,
    pub(crate) fields: Vec<(String, String)>,
}

impl Form {
    /// The form whose button has this text, if there is one on the page.
    pub(crate) fn with_button(page: &str, label: &str) -> Option<Self> {
        let tags = tags(page);
        let owners = owners(&tags);
        let at = tags.iter().position(|tag| tag.is_button() && tag.label() == label)?;
        let owner = owners[at]?;
        let (button, form) = (&tags[at], &tags[owner]);
        let mut fields: Vec<_> = (0..tags.len())
            .filter(|&field| owners[field] == Some(owner))
            .filter_map(|field| tags[field].field(&tags[field + 1..]))
            .collect();
        if let Some(name) = button.attribute("name") {
            fields.push((name.to_owned(), button.attribute("value").unwrap_or_default().to_owned()));
        }
        let method = button.attribute("formmethod").or(form.attribute("method")).unwrap_or("get");
        let action = button.attribute("formaction").or(form.attribute("action")).unwrap_or_default();
        let method = if method.eq_ignore_ascii_case("post") { Method::POST } else { Method::GET };
        Some(Self { method, action: action.to_owned(), fields })
    }

    /// With something typed, chosen or ticked, in place of what was there.
    pub(crate) fn fill(mut self, fields: &[(&str, &str)]) -> Self {
        self.fields.retain(|(name, _)| !fields.iter().any(|(filled, _)| filled == name));
        self.fields.extend(fields.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())));
        self
    }

    /// With a box that is not ticked.
    pub(crate) fn untick(mut self, name: &str) -> Self {
        self.fields.retain(|(field, _)| field != name);
        self
    }
}

/// An element, as far as forms are made of it.
#[derive(Debug)]
struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
    /// What is in it, for buttons, options and text areas.
    content: String,
}

impl Tag {
    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn has(&self, name: &str) -> bool {
        self.attribute(name).is_some()
    }

    fn kind(&self) -> &str {
        self.attribute("type").unwrap_or_default()
    }

    fn is_button(&self) -> bool {
        match self.name.as_str() {
            "button" => !matches!(self.kind(), "button" | "reset"),
            "input" => matches!(self.kind(), "submit" | "image"),
            _ => false,
        }
    }

    fn label(&self) -> String {
        let text =
            if self.name == "input" { self.attribute("value").unwrap_or_default() } else { &self.content };
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Name and value, if this is a field that would be sent; the tags after it have the options of a list.
    fn field(&self, after: &[Self]) -> Option<(String, String)> {
        let name = self.attribute("name").filter(|_| !self.has("disabled"))?.to_owned();
        let value = || self.attribute("value").map(str::to_owned);
        let value = match (self.name.as_str(), self.kind()) {
            ("input", "submit" | "image" | "button" | "reset" | "file") => None,
            ("input", "checkbox" | "radio") => {
                self.has("checked").then(|| value().unwrap_or_else(|| "on".to_owned()))
            }
            ("input", _) => Some(value().unwrap_or_default()),
            ("textarea", _) => Some(self.content.strip_prefix('\n').unwrap_or(&self.content).to_owned()),
            ("select", _) => {
                let options: Vec<_> = after.iter().take_while(|tag| tag.name == "option").collect();
                let chosen = options.iter().find(|option| option.has("selected")).or(options.first())?;
                Some(chosen.attribute("value").map_or_else(|| chosen.label(), str::to_owned))
            }
            _ => None,
        };
        Some((name, value?))
    }
}

/// For every tag the form to which it belongs: the one around it, or the one that it names.
fn owners(tags: &[Tag]) -> Vec<Option<usize>> {
    let named = |id: &str| tags.iter().position(|tag| tag.name == "form" && tag.attribute("id") == Some(id));
    let mut around = None;
    let mut owners = Vec::new();
    for (at, tag) in tags.iter().enumerate() {
        match tag.name.as_str() {
            "form" => around = Some(at),
            "/form" => around = None,
            _ => {}
        }
        owners.push(tag.attribute("form").map_or(around, named));
    }
    owners
}

/// The tags of which forms consist, in order.
fn tags(page: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let length = rest.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(rest.len());
        let name = rest[..length].trim_end_matches('/').to_ascii_lowercase();
        let (attributes, after) = attributes(&rest[length..]);
        rest = after;
        let content = match name.as_str() {
            "button" | "textarea" | "script" | "style" => content(rest, &format!("</{name}")),
            "option" => content(rest, "<"),
            _ => "",
        };
        rest = &rest[content.len()..];
        if matches!(name.as_str(), "form" | "/form" | "input" | "button" | "textarea" | "select" | "option") {
            tags.push(Tag { name, attributes, content: text(content) });
        }
    }
    tags
}

fn content<'a>(rest: &'a str, end: &str) -> &'a str {
    &rest[..rest.find(end).unwrap_or(rest.len())]
}

/// The attributes of a tag, and what follows the tag.
fn attributes(mut rest: &str) -> (Vec<(String, String)>, &str) {
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        if rest.is_empty() || rest.starts_with('>') {
            return (attributes, rest.get(1..).unwrap_or_default());
        }
        let length = rest.find(|c: char| c.is_whitespace() || matches!(c, '=' | '>')).unwrap_or(rest.len());
        let name = rest[..length.max(1)].to_ascii_lowercase();
        rest = &rest[length.max(1)..];
        let mut value = "";
        if let Some(after) = rest.strip_prefix('=') {
            let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''));
            let start = usize::from(quote.is_some());
            let is_end = |c: char| quote.map_or(c.is_whitespace() || c == '>', |quote| c == quote);
            let length = after[start..].find(is_end).unwrap_or(after.len() - start);
            value = &after[start..start + length];
            rest = after.get(start + length + start..).unwrap_or_default();
        }
        attributes.push((name, text(value)));
    }
}

/// Without tags, entities resolved.
pub(crate) fn text(html: &str) -> String {
    let mut text = String::new();
    let mut is_tag = false;
    for c in html.chars() {
        match c {
            '<' => is_tag = true,
            '>' if is_tag => is_tag = false,
            c if !is_tag => text.push(c),
            _ => {}
        }
    }
    let entities = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#38;", "&"),
        ("&amp;", "&"),
    ];
    entities.iter().fold(text, |text, (entity, c)| text.replace(entity, c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_sent_as_browsers_do() {
        let page = r#"
            <script>if (a < b) { document.write("<form>") }</script>
            <form method="get" action="/search"><input name=q><button>Search</button></form>
            <form id="f" method="post" action="/save?a=1&amp;b=2">
              <input type="hidden" name="token" value="x &#38; y"><input name="empty">
              <input type="checkbox" name="off"><input type="checkbox" name="on" checked>
              <input type="radio" name="r" value="1"><input type="radio" name="r" value="2" checked>
              <select name="list"><option value="a">A</option><option value="b" selected>B</option></select>
              <select name="plain"><option>First<option>Second</select>
              <textarea name="area">
 one &lt; two</textarea><input name="gone" disabled value="1">
              <button type="button" name="no">Look</button>
              <button name="action" value="save"><b>Save</b>
                 it</button>
            </form>
            <input form="f" name="outside" value="1"><button form="f" formaction="/other">Other</button>"#;
        let save = Form::with_button(page, "Save it").unwrap();
        assert_eq!((save.method.as_str(), save.action.as_str()), ("POST", "/save?a=1&b=2"));
        let fields: Vec<_> =
            save.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut expected = vec![
            ("token", "x & y"),
            ("empty", ""),
            ("on", "on"),
            ("r", "2"),
            ("list", "b"),
            ("plain", "First"),
            ("area", " one < two"),
            ("outside", "1"),
            ("action", "save"),
        ];
        assert_eq!(fields, expected);
        let other = Form::with_button(page, "Other").unwrap();
        assert_eq!(other.action, "/other");
        expected.pop();
        assert_eq!(other.fields.len(), expected.len());
        assert_eq!(Form::with_button(page, "Search").unwrap().method, Method::GET);
        assert_eq!(Form::with_button(page, "Look"), None);
        let filled = save.fill(&[("empty", "full")]).untick("on").fields;
        assert!(
            filled.contains(&("empty".into(), "full".into())) && !filled.iter().any(|(name, _)| name == "on")
        );
    }
}
