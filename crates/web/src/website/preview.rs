//! The preview: the login form exactly as visitors would see it, before they do.

use super::{
    place::{Place, Visit},
    setting::sign_up_words,
};
use crate::{
    done::Done,
    error::PageError,
    form,
    frame::Frame,
    issuer::{LoginForm, face::Face},
    page::Page,
};
use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::{
        HeaderName,
        header::{CONTENT_SECURITY_POLICY, X_FRAME_OPTIONS},
    },
    response::{IntoResponse, Redirect, Response},
};
use stave_app::{App, Failure, Problems, SettingView, setting_changes};
use stave_domain::website::{ProviderKey, Revision, Setting, Source};

/// A page that holds frames of this server's own pages.
const HOLDS_FRAMES: [(HeaderName, &str); 1] = [(
    CONTENT_SECURITY_POLICY,
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-src 'self'; base-uri 'none'; frame-ancestors 'none'",
)];
/// What stands in such a frame: nothing in it can be used.
const IN_FRAME: [(HeaderName, &str); 2] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox allow-same-origin",
    ),
    (X_FRAME_OPTIONS, "SAMEORIGIN"),
];

#[derive(Template)]
#[template(path = "website/preview.html")]
struct Preview {
    frame: Frame,
    place: Place,
    view: SettingView,
}

impl Preview {
    /// The one address to which the server behind a button sends visitors back.
    fn callback(&self, key: &ProviderKey) -> &str {
        let part = self.view.form.providers.iter().find(|part| part.key == *key);
        part.map_or("", |part| part.callback.as_str())
    }
}

#[derive(Template)]
#[template(path = "website/preview_form.html")]
struct PreviewForm {
    face: Face,
    form: LoginForm,
}

/// `GET /orgs/{organization}/websites/{website}/preview`: the draft, or what visitors see if there is none.
pub(super) async fn show(
    State(app): State<App>,
    Visit { frame, place }: Visit,
) -> Result<Response, PageError> {
    let (organization, website) = place.names();
    let view = app.website_setting_show(&frame.actor, organization, website).await?;
    Ok((HOLDS_FRAMES, Page(Preview { frame, place, view })).into_response())
}

/// The query of a frame.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Which {
    /// The number of a revision; `None` is the draft, or what visitors see.
    revision: Option<u32>,
}

/// `GET /orgs/{organization}/websites/{website}/preview/form`: what stands in the frames. Only who owns the website sees it.
pub(super) async fn form(
    State(app): State<App>,
    Visit { frame, place }: Visit,
    Query(which): Query<Which>,
) -> Result<Response, PageError> {
    let setting = setting(&app, &frame, &place, which.revision).await?;
    let page = PreviewForm {
        face: Face::with(&place.website, &setting),
        form: LoginForm::of(&place.website, &setting, true),
    };
    Ok((IN_FRAME, Page(page)).into_response())
}

async fn setting(app: &App, frame: &Frame, place: &Place, revision: Option<u32>) -> Result<Setting, Failure> {
    let (organization, website) = place.names();
    match revision {
        Some(number) => {
            let view = app.website_revision_show(&frame.actor, (organization, website), number).await?;
            Ok(view.content.setting)
        }
        None => Ok(app.website_setting_show(&frame.actor, organization, website).await?.setting),
    }
}

#[derive(Template)]
#[template(path = "website/history.html")]
pub(super) struct History {
    frame: Frame,
    place: Place,
    lines: Vec<Line>,
}

/// A revision, and what it changed.
struct Line {
    revision: Revision,
    changes: String,
}

/// Each revision with what changed since the one before; the newest comes first.
fn lines(revisions: Vec<Revision>) -> Vec<Line> {
    let before = revisions.iter().skip(1).map(|revision| Some(&revision.setting)).chain([None]);
    let changes: Vec<String> = revisions
        .iter()
        .zip(before)
        .map(|(now, before)| setting_changes(before, &now.setting).join("; "))
        .collect();
    revisions.into_iter().zip(changes).map(|(revision, changes)| Line { revision, changes }).collect()
}

/// `GET /orgs/{organization}/websites/{website}/history`
pub(super) async fn history(
    State(app): State<App>,
    Visit { frame, place }: Visit,
) -> Result<Page<History>, PageError> {
    let (organization, website) = place.names();
    let view = app.website_revision_list(&frame.actor, organization, website).await?;
    Ok(Page(History { frame, place, lines: lines(view.content) }))
}

#[derive(Template)]
#[template(path = "website/revision.html")]
struct RevisionPage {
    frame: Frame,
    place: Place,
    revision: Revision,
    problems: Problems,
}

impl RevisionPage {
    async fn of(app: &App, Visit { frame, place }: Visit, number: &str) -> Result<Self, Failure> {
        let view = app.website_revision_show(&frame.actor, place.names(), parsed(number)?).await?;
        Ok(Self { frame, place, revision: view.content, problems: Problems::default() })
    }

    fn is_published(&self) -> bool {
        self.place.website.revision == Some(self.revision.number)
    }

    fn sign_up(&self) -> &'static str {
        sign_up_words(self.revision.setting.sign_up)
    }

    fn restore(&self) -> String {
        format!("{}/history/{}/restore", self.place.base(), self.revision.number)
    }
}

/// `GET /orgs/{organization}/websites/{website}/history/{revision}`
pub(super) async fn revision(
    State(app): State<App>,
    visit: Visit,
    Path((_, _, number)): Path<(String, String, String)>,
) -> Result<Response, PageError> {
    let page = RevisionPage::of(&app, visit, &number).await?;
    Ok((HOLDS_FRAMES, Page(page)).into_response())
}

/// `POST /orgs/{organization}/websites/{website}/history/{revision}/restore`: visitors see it again.
pub(super) async fn restore(
    State(app): State<App>,
    visit: Visit,
    Path((_, _, number)): Path<(String, String, String)>,
) -> Result<Response, PageError> {
    let (actor, names) = (&visit.frame.actor, visit.place.names());
    match app.website_revision_restore(actor, names, parsed(&number)?).await {
        Ok(_) => Ok(Done::SettingRestored.at(&format!("{}/login", visit.place.base())).into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let page = RevisionPage::of(&app, visit, &number).await?;
            Ok((HOLDS_FRAMES, crate::page::Refused(RevisionPage { problems, ..page })).into_response())
        }
    }
}

/// `GET /orgs/{organization}/websites/{website}/history/{revision}/restore`: a reload after a refusal.
pub(super) async fn restore_again(visit: Visit) -> Redirect {
    Redirect::to(&format!("{}/history", visit.place.base()))
}

fn parsed(number: &str) -> Result<u32, Failure> {
    number.parse().map_err(|_| Failure::NotFound("revision"))
}
