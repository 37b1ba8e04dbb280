//! What was done, told on the page to which the browser is sent after a form.

use axum::response::Redirect;

macro_rules! done {
    ($($(#[$doc:meta])* $name:ident $key:literal $sentence:literal)+) => {
        /// What was done. The address carries a key and no text, so nobody can put words on a page with a link.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Done {
            $($(#[$doc])* $name,)+
        }

        impl Done {
            fn key(self) -> &'static str {
                match self { $(Self::$name => $key,)+ }
            }

            /// The sentence on the page.
            pub(crate) fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)+ }
            }

            /// What a key stands for; an unknown one stands for nothing.
            pub(crate) fn of_key(key: &str) -> Option<Self> {
                match key { $($key => Some(Self::$name),)+ _ => None }
            }
        }
    };
}

done! {
    /// A workspace is looked at.
    SynchronizationBegun "synchronization-begun" "The workspace is being read. Nothing changes here until you start the synchronization."
    /// A workspace is followed.
    SynchronizationStarted "synchronization-started" "Started. What it brings appears here as it is found."
    /// A run that does not wait for its time.
    SynchronizationRuns "synchronization-runs" "It runs as soon as a runner is free."
    /// A synchronization whose owners are the organization's.
    SynchronizationPromoted "synchronization-promoted" "It is the primary synchronization now."
    /// A synchronization that left nothing behind.
    SynchronizationDeleted "synchronization-deleted" "The synchronization was deleted, with what it brought."
    /// A synchronization that left a webhook behind.
    SynchronizationDeletedBut "synchronization-deleted-but" "The synchronization was deleted, with what it brought. Not every webhook could be removed: the Log says what to remove by hand."
    /// Other rights to ask with.
    RightsChanged "rights-changed" "It asks with these rights from now on, and runs at once."
    /// Webhooks that are looked at.
    WebhooksRepaired "webhooks-repaired" "Each webhook is looked at now, and installed anew where it is missing."
    /// A repository that becomes a package.
    RepositoryAdded "repository-added" "The repository becomes a package."
    /// A repository that is no package any more.
    RepositoryTakenOut "repository-taken-out" "The repository is no package any more, and does not become one by itself."
    /// A form was saved.
    Saved "saved" "Saved."
    /// Something was deleted.
    Deleted "deleted" "Deleted."
    /// A new integration.
    IntegrationCreated "integration-created" "The integration was created. Open it and check the connection, or log in with it."
    /// A new integration by OAuth 1, of which Bitbucket knows nothing yet.
    IntegrationBegun "integration-begun" "The integration was created. One step is left: enter on Bitbucket what stands below."
    /// The client before is forgotten.
    ChangeoverFinished "changeover-finished" "Done. The link from before is no longer used: delete it on Bitbucket."
    /// The client before counts again.
    ChangeoverCalledOff "changeover-called-off" "Called off. The link from before is in use again."
    /// Another key pair.
    KeyRenewed "key-renewed" "The new key pair is made. Now make a second application link with it on Bitbucket."
    /// Setup Mode is over.
    SetupLeft "setup-left" "Setup Mode is over. Next:"
    /// A new organization.
    OrganizationCreated "organization-created" "The organization was created."
    /// A new package, whose import is a job.
    PackageAdded "package-added" "The package was added. Its versions appear here as they are read."
    /// A new mirror, which is being read.
    MirrorAdded "mirror-added" "The mirrored repository was added, and is being read."
    /// A package that somebody typed.
    CustomPackageAdded "custom-package-added" "The package was added. Its archives are fetched when somebody first installs them."
    /// A version that somebody uploaded.
    VersionUploaded "version-uploaded" "Saved. Composer can install it now."
    /// A package is being read again.
    UpdateStarted "update-started" "The update was started."
    /// An account on a platform is connected.
    AccountConnected "account-connected" "The account is connected."
    /// It no longer is.
    AccountDisconnected "account-disconnected" "The account is no longer connected."
    /// Another browser's log-in was ended.
    LoginEnded "login-ended" "The log-in was ended. That browser has to log in again."
    /// This browser's log-in was ended.
    LoggedOut "logged-out" "You are logged out."
    /// A mail to oneself.
    MailSent "mail-sent" "The test mail was sent to the address on your Profile. Look whether it arrived."
    /// A new credential.
    CredentialStored "credential-stored" "The credential was stored. You can choose it for packages, mirrors and synchronizations now."
    /// Clients hear of an advisory.
    AdvisoryTold "advisory-told" "Saved. Composer hears of it with the next update or audit."
    /// A token was made anew.
    TokenReplaced "token-replaced" "The token that was there before no longer works."
    /// A token was revoked.
    TokenRevoked "token-revoked" "The token was revoked. It no longer works."
    /// Somebody became an admin.
    AdminGranted "admin-granted" "They are an admin now."
    /// Somebody was an admin.
    AdminRevoked "admin-revoked" "They are no longer an admin."
    /// Somebody became a member.
    MemberAdded "member-added" "They are a member now."
    /// Somebody may come in again.
    MemberActivated "member-activated" "They may come in again."
    /// Somebody may no longer come in.
    MemberDeactivated "member-deactivated" "They are deactivated: no page opens to them, and their tokens no longer work here."
    /// Somebody was a member.
    MemberRemoved "member-removed" "They are no longer a member."
    /// A new team, which has nobody and nothing yet.
    TeamCreated "team-created" "The team was created. Put people into it, and give packages to it."
    /// A new website, whose visitors cannot log in yet.
    WebsiteCreated "website-created" "The website was created. Choose with what its visitors log in."
    /// A login setting that visitors do not see yet.
    DraftApplied "draft-applied" "Applied. Visitors do not see it yet: look at the preview, then save."
    /// A login setting with keys that nobody can use yet.
    DraftAppliedOff "draft-applied-off" "Applied. But what the keys are for is switched off, so visitors would not see it."
    /// It is gone.
    DraftDiscarded "draft-discarded" "The draft is discarded. This is what visitors see."
    /// A login setting that visitors see from now on.
    SettingSaved "setting-saved" "Saved. Visitors see this from now on, at the address below. Next:"
    /// Visitors see it already.
    SettingSame "setting-same" "Visitors see this already. Nothing had to be saved."
    /// An old login setting that visitors see again.
    SettingRestored "setting-restored" "Visitors see the older setting again. It is saved as a new revision."
    /// Another key for a website's tokens.
    SigningKeyMade "signing-key-made" "The new key is made. It signs in an hour, when every application has fetched it."
    /// An application's older secret.
    SecretRemoved "secret-removed" "The older secret no longer works."
    /// A website's older proxy key.
    ProxyKeyRemoved "proxy-key-removed" "The older proxy key no longer works."
    /// A member of a website who may come in again.
    MemberLetIn "member-let-in" "They may come in now."
    /// A member of a website who may not.
    MemberBlocked "member-blocked" "They are blocked, and logged out everywhere."
    /// A member of a website who has to log in again.
    MemberSignedOut "member-signed-out" "They are logged out everywhere."
    /// A job that does not wait for its time.
    JobHastened "job-hastened" "The job runs as soon as a runner is free."
    /// The endpoints of a platform are tried.
    EndpointsTried "endpoints-tried" "The endpoints are being tried. What comes of it stands here."
    /// Somebody removed themselves.
    OrganizationLeft "organization-left" "You left the organization."
}

impl Done {
    /// What comes next, where the sentence leads on: a text and its address.
    pub(crate) fn next(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::SetupLeft => Some(("create an organization", "/orgs/new")),
            // Beside the page "Login setting".
            Self::SettingSaved => Some(("connect your website with it", "connect")),
            _ => None,
        }
    }

    /// `303 See Other` to a page of this server, which then says what was done.
    pub(crate) fn at(self, path: &str) -> Redirect {
        Redirect::to(&self.address(path))
    }

    /// The address of a page that says what was done.
    pub(crate) fn address(self, path: &str) -> String {
        let (page, part) =
            path.split_once('#').map_or((path, String::new()), |(page, part)| (page, format!("#{part}")));
        let joint = if page.contains('?') { '&' } else { '?' };
        format!("{page}{joint}done={}{part}", self.key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_goes_into_the_query() {
        let address = |path| Done::Saved.address(path);
        assert_eq!(address("/profile"), "/profile?done=saved");
        assert_eq!(address("/orgs/acme/packages?page=2#p"), "/orgs/acme/packages?page=2&done=saved#p");
    }

    #[test]
    fn only_known_keys_have_a_sentence() {
        assert_eq!(Done::of_key("token-revoked"), Some(Done::TokenRevoked));
        assert_eq!(Done::of_key("<b>You won</b>"), None);
    }
}
