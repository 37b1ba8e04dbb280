//! The guides, for everybody to read: `docs/guides` of the project, inside the binary.
//!
//! What enters is Markdown ([`markdown`]) and the pictures beside it ([`picture`]); what leaves are pages.

mod markdown;
mod picture;

use crate::{
    error::{Next, PageError},
    frame::Frame,
    page::Page,
};
use askama::Template;
use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    routing::get,
};
use markdown::Article;
use stave_app::App;
use std::sync::LazyLock;

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/docs", get(index))
        .route("/docs/{guide}", get(show))
        .route("/docs/images/{name}", get(picture::show))
}

/// One file of `docs/guides`.
struct Guide {
    /// Its file, and with `.md` its address; the index has none.
    name: &'static str,
    text: &'static str,
}

const INDEX: &str = "README";

/// In the order of the list.
const GUIDES: [Guide; 8] = [
    Guide { name: INDEX, text: include_str!("../../../../docs/guides/README.md") },
    Guide { name: "bitbucket", text: include_str!("../../../../docs/guides/bitbucket.md") },
    Guide {
        name: "bitbucket-data-center",
        text: include_str!("../../../../docs/guides/bitbucket-data-center.md"),
    },
    Guide {
        name: "bitbucket-data-center-oauth1",
        text: include_str!("../../../../docs/guides/bitbucket-data-center-oauth1.md"),
    },
    Guide { name: "log-in", text: include_str!("../../../../docs/guides/log-in.md") },
    Guide { name: "synchronization", text: include_str!("../../../../docs/guides/synchronization.md") },
    Guide { name: "package", text: include_str!("../../../../docs/guides/package.md") },
    Guide { name: "website", text: include_str!("../../../../docs/guides/website.md") },
];

/// The guides as they are shown, in the same order; they are translated once.
static ARTICLES: LazyLock<Vec<(&Guide, Article)>> =
    LazyLock::new(|| GUIDES.iter().map(|guide| (guide, markdown::read(guide.text))).collect());

impl Guide {
    fn address(&self) -> String {
        address(self.name).unwrap_or_default()
    }
}

/// The address of the guide in `<name>.md`, if there is one.
fn address(name: &str) -> Option<String> {
    let guide = GUIDES.iter().find(|guide| guide.name == name)?;
    Some(if guide.name == INDEX { "/docs".to_owned() } else { format!("/docs/{}", guide.name) })
}

/// A guide. What stands in it and the list of all live as long as the process.
#[derive(Template)]
#[template(path = "docs.html")]
struct DocsPage {
    frame: Frame,
    guide: &'static Guide,
    article: &'static Article,
    /// Where it can be changed, if the operator named a place.
    edit_url: Option<String>,
}

impl DocsPage {
    fn of(app: &App, frame: Frame, name: &str) -> Option<Self> {
        let (guide, article) = ARTICLES.iter().find(|(guide, _)| guide.name == name)?;
        let edit_url = app
            .docs_edit_url()
            .map(|prefix| format!("{}/{}.md", prefix.as_str().trim_end_matches('/'), guide.name));
        Some(Self { frame, guide, article, edit_url })
    }

    /// Title, address and whether it is this one.
    fn guides(&self) -> impl Iterator<Item = (&'static str, String, bool)> {
        ARTICLES
            .iter()
            .map(|(guide, article)| (article.title.as_str(), guide.address(), guide.name == self.guide.name))
    }

    fn is_index(&self) -> bool {
        self.guide.name == INDEX
    }
}

/// `GET /docs`
async fn index(State(app): State<App>, frame: Frame) -> Result<Page<DocsPage>, PageError> {
    DocsPage::of(&app, frame, INDEX).map(Page).ok_or_else(no_such_guide)
}

/// `GET /docs/{guide}`
async fn show(
    State(app): State<App>,
    frame: Frame,
    Path(name): Path<String>,
) -> Result<Page<DocsPage>, PageError> {
    // One guide, one address.
    if name == INDEX {
        return Err(no_such_guide());
    }
    DocsPage::of(&app, frame, &name).map(Page).ok_or_else(no_such_guide)
}

fn no_such_guide() -> PageError {
    PageError::new(StatusCode::NOT_FOUND, "There is no guide at this address.").leading(Next {
        title: "There is no such guide",
        advice: "It may have another name by now. The list of all guides is short.",
        link: ("Show all guides", "/docs".into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestSite;

    #[tokio::test]
    async fn anybody_can_read_every_guide() {
        let site = TestSite::start().await;
        let mut visitor = site.browser();
        for (guide, article) in ARTICLES.iter() {
            let seen = visitor.get(&guide.address()).await;
            assert_eq!(seen.status, StatusCode::OK);
            let heading = format!("<h1>{}</h1>", article.title);
            assert!(seen.body.contains(&heading) && article.title.len() > 3, "{heading}: {}", seen.body);
            assert!(!seen.body.contains("Edit this page"), "nobody said where");
        }
        assert!(visitor.get("/login").await.body.contains("<a href=\"/docs\">Docs</a>"));
    }

    #[tokio::test]
    async fn an_unknown_guide_leads_to_the_list() {
        let site = TestSite::start().await;
        for path in
            ["/docs/gitlab", "/docs/README", "/docs/bitbucket.md", "/docs/images", "/docs/images/x.png"]
        {
            let seen = site.browser().get(path).await;
            assert_eq!(seen.status, StatusCode::NOT_FOUND, "{path}");
            assert!(seen.body.contains("<h1>There is"), "{path}: {}", seen.body);
        }
    }
}
