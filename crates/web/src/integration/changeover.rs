//! The end of a changeover, one way or the other.

use super::place::Visit;
use crate::{done::Done, error::PageError};
use axum::{extract::State, response::Redirect};
use stave_app::{App, Changeover};
use stave_domain::integration::OAuthVersion;

/// A changeover in the words of its page.
pub(super) struct Words<'a>(pub(super) &'a Changeover);

impl Words<'_> {
    /// What it is.
    pub(super) fn title(&self) -> &'static str {
        match (self.0.from, self.0.to) {
            (OAuthVersion::One, OAuthVersion::Two) => "Upgrade to OAuth 2",
            (OAuthVersion::Two, OAuthVersion::One) => "Back to OAuth 1",
            (OAuthVersion::One, OAuthVersion::One) => "New key pair",
            (OAuthVersion::Two, OAuthVersion::Two) => "New Client ID",
        }
    }

    /// How it is called in the midst of a sentence.
    fn noun(&self) -> &'static str {
        match (self.0.from, self.0.to) {
            (OAuthVersion::One, OAuthVersion::Two) => "upgrade",
            (OAuthVersion::Two, OAuthVersion::One) => "way back",
            _ => "change",
        }
    }

    pub(super) fn progress(&self) -> String {
        let Changeover { moved, waiting, .. } = self.0;
        match moved + waiting {
            1 => format!("{moved} of 1 person has logged in again"),
            all => format!("{moved} of {all} people have logged in again"),
        }
    }

    pub(super) fn all(&self) -> u64 {
        self.0.moved + self.0.waiting
    }

    pub(super) fn finish(&self) -> String {
        format!("Finish the {}", self.noun())
    }

    pub(super) fn finish_question(&self) -> String {
        match self.0.waiting {
            0 => "Everybody has logged in again. The link from before can be deleted on Bitbucket afterwards.".into(),
            1 => "1 person has not logged in again. They keep their account, but until they log in Stave cannot read repositories as them.".into(),
            waiting => format!("{waiting} people have not logged in again. They keep their accounts, but until they log in Stave cannot read repositories as them."),
        }
    }

    pub(super) fn call_off(&self) -> String {
        format!("Call off the {}", self.noun())
    }

    pub(super) fn call_off_question(&self) -> String {
        match self.0.moved {
            0 => "Everything is as it was before; nobody has to log in again.".into(),
            1 => "Everything is as it was before. The 1 person who has logged in again is asked to do so once more.".into(),
            moved => format!("Everything is as it was before. The {moved} people who have logged in again are asked to do so once more."),
        }
    }
}

/// `POST /admin/integrations/{integration}/finish` and the same in an organization
pub(super) async fn finish(
    State(app): State<App>,
    Visit { frame, place }: Visit,
) -> Result<Redirect, PageError> {
    let id = place.id()?;
    app.changeover_finish(&frame.actor, &place.level, id).await?;
    Ok(Done::ChangeoverFinished.at(&format!("{}/{id}", place.base())))
}

/// `POST /admin/integrations/{integration}/key` and the same in an organization: another key pair for OAuth 1
pub(super) async fn renew_key(
    State(app): State<App>,
    Visit { frame, place }: Visit,
) -> Result<Redirect, PageError> {
    let id = place.id()?;
    app.integration_key_renew(&frame.actor, &place.level, id).await?;
    Ok(Done::KeyRenewed.at(&format!("{}/{id}#link", place.base())))
}

/// `POST /admin/integrations/{integration}/call-off` and the same in an organization
pub(super) async fn call_off(
    State(app): State<App>,
    Visit { frame, place }: Visit,
) -> Result<Redirect, PageError> {
    let id = place.id()?;
    app.changeover_call_off(&frame.actor, &place.level, id).await?;
    Ok(Done::ChangeoverCalledOff.at(&format!("{}/{id}", place.base())))
}
