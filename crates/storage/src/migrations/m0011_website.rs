//! Websites whose visitors log in here. Whatever is a website's own is deleted with it.

use super::Draft;
use sea_orm_migration::{
    async_trait,
    prelude::{DbErr, DeriveMigrationName, MigrationTrait, SchemaManager},
};

#[derive(DeriveMigrationName)]
pub(super) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        websites(manager).await?;
        settings(manager).await?;
        clients(manager).await?;
        members(manager).await?;
        logins(manager).await?;
        trips(manager).await?;
        grants(manager).await?;
        tokens(manager).await?;
        records(manager).await
    }
}

async fn websites(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Draft::new("website", manager)
        .uuid("id")
        .uuid("organization_id")
        .text("slug")
        .text("name")
        .text("origins")
        .text("proxy_keys")
        .number_or_null("revision")
        .number("created_at")
        .key(["id"])
        .belongs_to("organization_id", "organization")
        .unique(["slug"])
        .index(["organization_id"])
        .create(manager)
        .await
}

/// What they name by an id, such as an integration, may be gone: no foreign key reaches into JSON.
async fn settings(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Draft::new("website_draft", manager)
        .uuid("website_id")
        .text("setting")
        .number_or_null("began_with")
        .text("author")
        .number("changed_at")
        .key(["website_id"])
        .belongs_to("website_id", "website")
        .create(manager)
        .await?;
    Draft::new("website_revision", manager)
        .uuid("website_id")
        .number("number")
        .text("setting")
        .text("author")
        .text("note")
        .number("created_at")
        .key(["website_id", "number"])
        .belongs_to("website_id", "website")
        .create(manager)
        .await?;
    Draft::new("website_logo", manager)
        .uuid("website_id")
        .text("hash")
        .bytes("png")
        .number("created_at")
        .key(["website_id", "hash"])
        .belongs_to("website_id", "website")
        .create(manager)
        .await
}

async fn clients(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Draft::new("website_client", manager)
        .uuid("id")
        .uuid("website_id")
        .text("public_id")
        .text("name")
        .text("kind")
        .text("secrets")
        .text("redirect_uris")
        .text("post_logout_uris")
        .flag("pkce_required")
        .flag("is_own")
        .flag("may_refresh")
        .number("created_at")
        .key(["id"])
        .belongs_to("website_id", "website")
        .unique(["public_id"])
        .index(["website_id"])
        .create(manager)
        .await?;
    Draft::new("website_key", manager)
        .text("id")
        .uuid("website_id")
        .bytes("private_key")
        .text("modulus")
        .text("exponent")
        .number("created_at")
        .key(["id"])
        .belongs_to("website_id", "website")
        .index(["website_id"])
        .create(manager)
        .await
}

async fn members(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Draft::new("website_member", manager)
        .uuid("id")
        .uuid("website_id")
        .text("sub")
        .text("name")
        .text("handle")
        .text_or_null("picture")
        .text_or_null("email")
        .flag("email_verified")
        .text("roles")
        .text("status")
        .text("search")
        .number("created_at")
        .number("signed_in_at")
        .key(["id"])
        .belongs_to("website_id", "website")
        .unique(["website_id", "sub"])
        .index(["website_id", "signed_in_at"])
        .index(["website_id", "created_at"])
        .create(manager)
        .await?;
    Draft::new("website_identity", manager)
        .uuid("website_id")
        .text("place")
        .text("external_id")
        .uuid("member_id")
        .text_or_null("second_id")
        .text("handle")
        .text("display_name")
        .text("addresses")
        .text("verified")
        .text("search")
        .number("connected_at")
        .number("signed_in_at")
        .key(["website_id", "place", "external_id"])
        .belongs_to("website_id", "website")
        .belongs_to("member_id", "website_member")
        .index(["member_id"])
        .create(manager)
        .await
}

async fn logins(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Draft::new("website_login", manager)
        .uuid("id")
        .uuid("website_id")
        .uuid("member_id")
        .bytes("secret_hash")
        .text("provider")
        .text("place")
        .number("authenticated_at")
        .number("seen_at")
        .number("idle_seconds")
        .number("ends_at")
        .text("user_agent")
        .text("address")
        .key(["id"])
        .belongs_to("website_id", "website")
        .belongs_to("member_id", "website_member")
        .unique(["secret_hash"])
        .index(["website_id"])
        .index(["member_id"])
        .create(manager)
        .await?;
    Draft::new("website_pass", manager)
        .bytes("secret_hash")
        .uuid("login_id")
        .uuid("website_id")
        .text("origin")
        .number("created_at")
        .key(["secret_hash"])
        .belongs_to("website_id", "website")
        .belongs_to("login_id", "website_login")
        .index(["website_id"])
        .index(["login_id"])
        .create(manager)
        .await
}

async fn trips(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Draft::new("website_trip", manager)
        .bytes("state_hash")
        .bytes("browser_hash")
        .uuid("website_id")
        .text("provider")
        .text("client_id")
        .number_or_null("revision")
        .bytes("kept")
        .text("purpose")
        .number("created_at")
        .key(["state_hash"])
        .belongs_to("website_id", "website")
        .index(["website_id", "created_at"])
        .index(["created_at"])
        .create(manager)
        .await?;
    Draft::new("website_visit", manager)
        .bytes("state_hash")
        .bytes("secret_hash")
        .uuid("website_id")
        .text("origin")
        .text("return_to")
        .number("created_at")
        .key(["state_hash"])
        .belongs_to("website_id", "website")
        .index(["website_id"])
        .index(["created_at"])
        .create(manager)
        .await
}

async fn grants(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Draft::new("website_grant", manager)
        .uuid("id")
        .uuid("website_id")
        .uuid("client_id")
        .uuid("member_id")
        .uuid("login_id")
        .text("scopes")
        .text_or_null("nonce")
        .text("redirect_uri")
        .text_or_null("challenge")
        .number("authenticated_at")
        .bytes("code_hash")
        .number("created_at")
        .number_or_null("redeemed_at")
        .bytes_or_null("refresh_hash")
        .bytes_or_null("refresh_before_hash")
        .number("refresh_count")
        .number_or_null("refreshed_at")
        .key(["id"])
        .belongs_to("website_id", "website")
        .belongs_to("client_id", "website_client")
        .belongs_to("member_id", "website_member")
        .belongs_to("login_id", "website_login")
        .unique(["code_hash"])
        .unique(["refresh_hash"])
        .index(["refresh_before_hash"])
        .index(["website_id"])
        .index(["client_id"])
        .index(["member_id"])
        .index(["login_id"])
        .index(["created_at"])
        .create(manager)
        .await
}

/// What hangs on a grant, and what is left of it when it is over: that the member agreed.
async fn tokens(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Draft::new("website_access", manager)
        .bytes("hash")
        .uuid("grant_id")
        .uuid("website_id")
        .text("scopes")
        .number("expires_at")
        .key(["hash"])
        .belongs_to("website_id", "website")
        .belongs_to("grant_id", "website_grant")
        .index(["website_id"])
        .index(["grant_id"])
        .index(["expires_at"])
        .create(manager)
        .await?;
    Draft::new("website_consent", manager)
        .uuid("member_id")
        .uuid("client_id")
        .text("scopes")
        .number("given_at")
        .key(["member_id", "client_id"])
        .belongs_to("member_id", "website_member")
        .belongs_to("client_id", "website_client")
        .index(["client_id"])
        .create(manager)
        .await
}

/// A line of a log stays when the member that it names is gone.
async fn records(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    Draft::new("website_event", manager)
        .uuid("id")
        .uuid("website_id")
        .uuid_or_null("member_id")
        .text("sentence")
        .flag("is_failure")
        .text("address")
        .number("created_at")
        .key(["id"])
        .belongs_to("website_id", "website")
        .index(["website_id", "id"])
        .index(["created_at"])
        .create(manager)
        .await?;
    Draft::new("website_test", manager)
        .uuid("website_id")
        .uuid("user_id")
        .text("report")
        .key(["website_id", "user_id"])
        .belongs_to("website_id", "website")
        .belongs_to("user_id", "user")
        .index(["user_id"])
        .create(manager)
        .await
}
