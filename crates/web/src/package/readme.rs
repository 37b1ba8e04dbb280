//! A README as it is shown: its text, its links to other sites, and nothing that could do anything.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd, html};

/// HTML of a README. HTML that was typed into it is left out; a picture is its description, because it would tell another site
/// who looks; a link that leads into the repository is only its text.
pub(super) fn shown(markdown: &str) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut dead_links = 0_usize;
    let events = Parser::new_ext(markdown, options).filter_map(|event| match event {
        Event::Html(_)
        | Event::InlineHtml(_)
        | Event::Start(Tag::Image { .. } | Tag::HtmlBlock)
        | Event::End(TagEnd::Image | TagEnd::HtmlBlock) => None,
        Event::Start(Tag::Link { ref dest_url, .. }) if !leads_elsewhere(dest_url) => {
            dead_links += 1;
            None
        }
        Event::End(TagEnd::Link) if dead_links > 0 => {
            dead_links -= 1;
            None
        }
        // The page has headings of its own: those of the README come below them.
        Event::Start(Tag::Heading { level, classes, attrs, .. }) => {
            Some(Event::Start(Tag::Heading { level: lower(level), id: None, classes, attrs }))
        }
        Event::End(TagEnd::Heading(level)) => Some(Event::End(TagEnd::Heading(lower(level)))),
        event => Some(event),
    });
    let mut written = String::new();
    html::push_html(&mut written, events);
    written
}

/// Links do not nest, so a link that is dropped ends before the next one begins.
fn leads_elsewhere(address: &str) -> bool {
    url::Url::parse(address).is_ok_and(|url| matches!(url.scheme(), "http" | "https" | "mailto"))
}

fn lower(level: pulldown_cmark::HeadingLevel) -> pulldown_cmark::HeadingLevel {
    use pulldown_cmark::HeadingLevel::{H1, H2, H3, H4, H5, H6};
    match level {
        H1 => H3,
        H2 => H4,
        H3 => H5,
        H4 | H5 | H6 => H6,
    }
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn a_readme_can_do_nothing() {
        for (markdown, html) in [
            ("# Mailer\n\nSends *mail*.", "<h3>Mailer</h3>\n<p>Sends <em>mail</em>.</p>\n"),
            ("<script>alert(1)</script>\n\nHi <b onclick=x>you</b>", "<p>Hi you</p>\n"),
            (
                "[docs](https://docs.example/a?b=c)",
                "<p><a href=\"https://docs.example/a?b=c\">docs</a></p>\n",
            ),
            ("[x](javascript:alert(1)) [y](/login) [z](docs/x.md)", "<p>x y z</p>\n"),
            ("[a [b](https://b.example)](x.md)", "<p>[a <a href=\"https://b.example\">b</a>](x.md)</p>\n"),
            ("![a badge](https://badges.example/x.svg)", "<p>a badge</p>\n"),
            (
                "[![build](https://b.example/x.svg)](https://b.example)",
                "<p><a href=\"https://b.example\">build</a></p>\n",
            ),
            ("<data:text/html,x>", "<p>data:text/html,x</p>\n"),
        ] {
            assert_eq!(shown(markdown), html, "{markdown}");
        }
    }
}
