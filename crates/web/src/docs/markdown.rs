//! Markdown to HTML, as far as guides need it: a title, sections to jump to, links that hold here too, pictures with their size.

use super::{address, picture};
use askama::Template;
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

/// A guide as it is shown.
pub(super) struct Article {
    /// The first heading; it is not part of `html`.
    pub(super) title: String,
    /// Made from Markdown alone: HTML that was typed into it is text.
    pub(super) html: String,
    /// The sections to jump to; none if the page is short.
    pub(super) sections: Vec<Section>,
}

/// A heading of the second level.
pub(super) struct Section {
    pub(super) id: String,
    pub(super) heading: String,
}

/// A page with fewer sections shows no list of them.
const LONG: usize = 4;

/// Translates a guide.
pub(super) fn read(markdown: &str) -> Article {
    let mut events = Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_SMART_PUNCTUATION)
        .collect::<Vec<_>>()
        .into_iter();
    let mut translation = Translation::default();
    while let Some(event) = events.next() {
        translation.take(event, &mut events);
    }
    let Translation { title, mut sections, events, .. } = translation;
    let mut written = String::new();
    html::push_html(&mut written, events.into_iter());
    if sections.len() < LONG {
        sections.clear();
    }
    Article { title, html: written, sections }
}

/// What has been translated so far.
#[derive(Default)]
struct Translation<'a> {
    title: String,
    sections: Vec<Section>,
    events: Vec<Event<'a>>,
    /// Within a link that leads nowhere from here: its text stays.
    in_dead_link: bool,
}

impl<'a> Translation<'a> {
    fn take(&mut self, event: Event<'a>, rest: &mut impl Iterator<Item = Event<'a>>) {
        match event {
            Event::Start(Tag::Heading { level: HeadingLevel::H1, .. }) => {
                self.title = text_of(&until(rest, |end| matches!(end, TagEnd::Heading(_))));
            }
            Event::Start(Tag::Heading { level, classes, attrs, .. }) => {
                let inner = until(rest, |end| matches!(end, TagEnd::Heading(_)));
                let heading = text_of(&inner);
                let id = id_of(&heading);
                self.events.push(Event::Start(Tag::Heading {
                    level,
                    id: Some(id.clone().into()),
                    classes,
                    attrs,
                }));
                let mut inner = inner.into_iter();
                while let Some(event) = inner.next() {
                    self.take(event, &mut inner);
                }
                self.events.push(Event::End(TagEnd::Heading(level)));
                if level == HeadingLevel::H2 {
                    self.sections.push(Section { id, heading });
                }
            }
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => match here(&dest_url) {
                Some(address) => {
                    let dest_url = CowStr::from(address);
                    self.events.push(Event::Start(Tag::Link { link_type, dest_url, title, id }));
                }
                None => self.in_dead_link = true,
            },
            Event::End(TagEnd::Link) if self.in_dead_link => self.in_dead_link = false,
            Event::Start(Tag::Image { dest_url, .. }) => {
                let alt = text_of(&until(rest, |end| matches!(end, TagEnd::Image)));
                self.events.extend(shown(&dest_url, &alt).map(|html| Event::InlineHtml(html.into())));
            }
            Event::Start(Tag::Table(columns)) => {
                self.events.push(Event::Html("<div class=\"table\">".into()));
                self.events.push(Event::Start(Tag::Table(columns)));
            }
            Event::End(TagEnd::Table) => {
                self.events.push(Event::End(TagEnd::Table));
                self.events.push(Event::Html("</div>".into()));
            }
            Event::Html(typed) | Event::InlineHtml(typed) => self.events.push(Event::Text(typed)),
            event => self.events.push(event),
        }
    }
}

/// The events up to this end, which is taken too.
fn until<'a>(
    events: &mut impl Iterator<Item = Event<'a>>,
    is_end: impl Fn(&TagEnd) -> bool,
) -> Vec<Event<'a>> {
    events.take_while(|event| !matches!(event, Event::End(end) if is_end(end))).collect()
}

/// What people read of these events.
fn text_of(events: &[Event<'_>]) -> String {
    let texts = events.iter().map(|event| match event {
        Event::Text(text) | Event::Code(text) => text.as_ref(),
        Event::SoftBreak | Event::HardBreak => " ",
        _ => "",
    });
    texts.collect()
}

/// The id of a heading, made as code hosts make it, so that a link to a section holds there and here.
fn id_of(heading: &str) -> String {
    let kept = heading.chars().filter_map(|c| match c {
        ' ' => Some('-'),
        c if c.is_alphanumeric() || matches!(c, '-' | '_') => Some(c),
        _ => None,
    });
    kept.collect::<String>().to_lowercase()
}

/// Where a link of a guide leads from its page; nothing if it leads nowhere from here, such as to a file of the project.
fn here(link: &str) -> Option<String> {
    let is_address = link.starts_with("https://") || link.starts_with("http://");
    let is_path = link.starts_with('/') && !link.starts_with("//");
    if is_address || is_path || link.starts_with('#') {
        return Some(link.to_owned());
    }
    let (file, section) = link.split_once('#').map_or((link, None), |(file, id)| (file, Some(id)));
    let page = address(file.strip_suffix(".md")?)?;
    Some(section.map_or(page.clone(), |id| format!("{page}#{id}")))
}

/// A picture on a page. It has its size, so that the text does not jump when it comes.
#[derive(Template)]
#[template(
    source = r#"<img src="/docs/images/{{ name }}" alt="{{ alt }}" width="{{ width }}" height="{{ height }}" loading="lazy">"#,
    ext = "html"
)]
struct Shown<'a> {
    name: &'a str,
    alt: &'a str,
    width: u32,
    height: u32,
}

/// The HTML of a picture, if it has been made: the text says all that is needed without it.
fn shown(link: &str, alt: &str) -> Option<String> {
    let name = link.strip_prefix("images/")?;
    let (width, height) = picture::find(name)?.size()?;
    Shown { name, alt, width, height }.render().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guide_becomes_a_page() {
        let article = read("# Title\n\nText.\n\n## Replace the *secret*: `x`?\n\n1. **One**\n2. two\n");
        assert_eq!(article.title, "Title");
        assert_eq!(
            article.html,
            "<p>Text.</p>\n<h2 id=\"replace-the-secret-x\">Replace the <em>secret</em>: <code>x</code>?</h2>\n\
             <ol>\n<li><strong>One</strong></li>\n<li>two</li>\n</ol>\n"
        );
        assert!(article.sections.is_empty(), "it is short");
    }

    #[test]
    fn a_long_guide_lists_its_sections() {
        let article = read("# T\n## One\n### Not\n## Two\n## Three\n## Four\n");
        let listed: Vec<_> = article.sections.iter().map(|section| section.heading.as_str()).collect();
        assert_eq!(listed, ["One", "Two", "Three", "Four"]);
    }

    #[test]
    fn typed_html_is_text() {
        let html = read("<script>alert(1)</script>\n\na <b onclick=\"x\">b</b> c\n").html;
        assert!(!html.contains("<script") && !html.contains("<b "), "{html}");
        assert!(html.contains("&lt;script&gt;") && html.contains("&lt;/b&gt;"), "{html}");
    }

    #[test]
    fn links_hold_on_the_page() {
        for (link, address) in [
            ("bitbucket.md", Some("/docs/bitbucket")),
            ("bitbucket.md#connect-it", Some("/docs/bitbucket#connect-it")),
            ("README.md", Some("/docs")),
            ("#connect-it", Some("#connect-it")),
            ("/admin/integrations/new", Some("/admin/integrations/new")),
            ("https://bitbucket.org/", Some("https://bitbucket.org/")),
            ("../operating.md", None),
            ("gitlab.md", None),
            ("//evil.example", None),
            ("javascript:alert(1)", None),
            ("data:text/html,x", None),
        ] {
            assert_eq!(here(link).as_deref(), address, "{link}");
        }
        assert_eq!(read("[a *b*](javascript:x) [c](bitbucket.md)").html.matches("<a ").count(), 1);
    }

    #[test]
    fn a_picture_that_was_not_made_leaves_no_gap() {
        assert_eq!(read("a ![b](images/none.png) c").html, "<p>a  c</p>\n");
        assert_eq!(read("![b](https://evil.example/x.png)").html, "<p></p>\n");
    }
}
