//! Tokens: what Composer and CI log in with.

use crate::{Actor, App, Failure, Problems, entropy};
use stave_domain::{
    Secret,
    id::TokenId,
    organization::Organization,
    secret::SecretHash,
    token::{Token, TokenAccess, TokenOwner},
};

/// A token whose text can be read this once.
#[derive(Debug)]
pub struct NewToken {
    /// What is kept.
    pub token: Token,
    /// What is shown once.
    pub secret: Secret,
    /// The user name that goes with it.
    pub username: String,
}

impl App {
    /// The actor's user token, if they have one.
    pub async fn user_token_find(&self, actor: &Actor) -> Result<Option<Token>, Failure> {
        Ok(self.storage.token_list(TokenOwner::User(actor.user()?.id)).await?.into_iter().next())
    }

    /// Makes the actor's user token; one that they had stops working at once.
    pub async fn user_token_regenerate(&self, actor: &Actor) -> Result<NewToken, Failure> {
        let user = actor.whole()?;
        let owner = TokenOwner::User(user.id);
        let made = match self.user_token_find(actor).await? {
            Some(token) => self.token_regenerate(token).await?,
            None => self.token_insert(owner, TokenAccess::Update, "user token").await?,
        };
        self.log_by(actor, None, "regenerated their user token").await?;
        Ok(NewToken { username: user.username.to_string(), ..made })
    }

    /// Revokes the actor's user token.
    pub async fn user_token_revoke(&self, actor: &Actor) -> Result<(), Failure> {
        actor.whole()?;
        let token = self.user_token_find(actor).await?.ok_or(Failure::NotFound("token"))?;
        self.storage.token_delete(token.id).await?;
        self.log_by(actor, None, "revoked their user token").await
    }

    /// An organization's tokens, for its owners.
    pub async fn organization_token_list(
        &self,
        actor: &Actor,
        short_name: &str,
    ) -> Result<(Organization, Vec<Token>), Failure> {
        let organization = self.organization_managed(actor, short_name).await?;
        let tokens = self.storage.token_list(TokenOwner::Organization(organization.id)).await?;
        Ok((organization, tokens))
    }

    /// Makes a token that can only read.
    pub async fn organization_token_create(
        &self,
        actor: &Actor,
        short_name: &str,
        description: &str,
    ) -> Result<NewToken, Failure> {
        let organization = self.organization_managed(actor, short_name).await?;
        let mut problems = Problems::default();
        let description = problems
            .text("description", "Description", description, 100)
            .ok_or_else(|| problems.into_failure())?;
        let made = self
            .token_insert(TokenOwner::Organization(organization.id), TokenAccess::Read, &description)
            .await?;
        self.log_by(actor, Some(organization.id), format!("created the token “{description}”")).await?;
        Ok(made)
    }

    /// Gives an organization's token a new text; the old one stops working at once.
    pub async fn organization_token_regenerate(
        &self,
        actor: &Actor,
        short_name: &str,
        id: TokenId,
    ) -> Result<NewToken, Failure> {
        let (organization, token) = self.organization_token(actor, short_name, id).await?;
        let action = format!("regenerated the token “{}”", token.description);
        let made = self.token_regenerate(token).await?;
        self.log_by(actor, Some(organization.id), action).await?;
        Ok(made)
    }

    /// Revokes an organization's token.
    pub async fn organization_token_revoke(
        &self,
        actor: &Actor,
        short_name: &str,
        id: TokenId,
    ) -> Result<(), Failure> {
        let (organization, token) = self.organization_token(actor, short_name, id).await?;
        self.storage.token_delete(id).await?;
        self.log_by(actor, Some(organization.id), format!("revoked the token “{}”", token.description)).await
    }

    async fn organization_token(
        &self,
        actor: &Actor,
        short_name: &str,
        id: TokenId,
    ) -> Result<(Organization, Token), Failure> {
        let organization = self.organization_managed(actor, short_name).await?;
        let token = self.storage.token_find(id).await?;
        let token = token.filter(|token| token.owner == TokenOwner::Organization(organization.id));
        Ok((organization, token.ok_or(Failure::NotFound("token"))?))
    }

    async fn token_insert(
        &self,
        owner: TokenOwner,
        access: TokenAccess,
        description: &str,
    ) -> Result<NewToken, Failure> {
        let secret = owner.token(access, entropy::bytes());
        let token = Token {
            id: entropy::id(),
            owner,
            access,
            description: description.to_owned(),
            secret_hash: SecretHash::of(&secret),
            created_at: self.clock.now(),
            expires_at: None,
            used_at: None,
        };
        self.storage.token_insert(&token).await?;
        Ok(NewToken { token, secret, username: "token".into() })
    }

    async fn token_regenerate(&self, token: Token) -> Result<NewToken, Failure> {
        let secret = token.owner.token(token.access, entropy::bytes());
        let token = Token {
            secret_hash: SecretHash::of(&secret),
            created_at: self.clock.now(),
            used_at: None,
            ..token
        };
        self.storage.token_regenerate(token.id, &token.secret_hash, token.created_at).await?;
        Ok(NewToken { token, secret, username: "token".into() })
    }
}
