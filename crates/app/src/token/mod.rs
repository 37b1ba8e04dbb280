//! Tokens: what Composer and CI log in with.

mod form;
mod shown;

pub use form::TokenForm;
pub(crate) use shown::{ShownToken, token_hash};

use crate::{Actor, App, Failure, entropy};
use form::Typed;
use stave_domain::{
    Secret,
    id::TokenId,
    organization::Organization,
    package::PackageName,
    secret::SecretHash,
    token::{Addresses, Token, TokenAccess, TokenOwner},
};

/// So many names of packages are on the page of a token.
const SHOWN: usize = 50;

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

/// The page of an organization's token.
#[derive(Debug)]
pub struct TokenView {
    /// Whose.
    pub organization: Organization,
    /// Which.
    pub token: Token,
    /// What it reads of the organization's own packages: the first names.
    pub packages: Vec<PackageName>,
    /// How many it reads of them.
    pub reads: usize,
    /// How many there are.
    pub own: usize,
    /// How many packages mirrors brought, which every token reads.
    pub mirrored: usize,
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
            None => self.token_insert(owner, Typed::of_user()).await?,
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

    /// Makes a token of an organization.
    pub async fn organization_token_create(
        &self,
        actor: &Actor,
        short_name: &str,
        form: &TokenForm,
    ) -> Result<NewToken, Failure> {
        let organization = self.organization_managed(actor, short_name).await?;
        let typed = self.token_typed(form, None)?;
        let made = self.token_insert(TokenOwner::Organization(organization.id), typed).await?;
        let powers = match made.token.access {
            TokenAccess::Read => "",
            TokenAccess::Update => " with update access",
        };
        let action = format!("created the token “{}”{powers}", made.token.description);
        self.log_by(actor, Some(organization.id), action).await?;
        Ok(made)
    }

    /// The page of an organization's token: it is one pass over the names of the packages.
    pub async fn organization_token_show(
        &self,
        actor: &Actor,
        short_name: &str,
        id: TokenId,
    ) -> Result<TokenView, Failure> {
        let (organization, token) = self.organization_token(actor, short_name, id).await?;
        let all = self.storage.package_name_list(organization.id).await?;
        let count = all.len();
        let own: Vec<_> = all.into_iter().filter(|it| !it.is_mirrored).collect();
        let (own_count, mirrored) = (own.len(), count - own.len());
        let mut packages: Vec<PackageName> =
            own.into_iter().map(|it| it.name).filter(|name| token.selects(name, false)).collect();
        let reads = packages.len();
        packages.truncate(SHOWN);
        Ok(TokenView { organization, token, packages, reads, own: own_count, mirrored })
    }

    /// Changes what an organization's token is for, what it reads, from where, and until when. Its text stays.
    pub async fn organization_token_update(
        &self,
        actor: &Actor,
        short_name: &str,
        id: TokenId,
        form: &TokenForm,
    ) -> Result<(), Failure> {
        let (organization, before) = self.organization_token(actor, short_name, id).await?;
        let Typed { description, selection, addresses, expires_at, .. } =
            self.token_typed(form, Some(&before))?;
        let token = Token { description, selection, addresses, expires_at, ..before.clone() };
        let Some(changes) = changes(&before, &token) else { return Ok(()) };
        self.storage.token_update(&token).await?;
        let action = format!("changed {changes} of the token “{}”", before.description);
        self.log_by(actor, Some(organization.id), action).await
    }

    /// Gives an organization's token a new text; the old one stops working at once. Everything else stays.
    pub async fn organization_token_regenerate(
        &self,
        actor: &Actor,
        short_name: &str,
        id: TokenId,
    ) -> Result<NewToken, Failure> {
        let (organization, token) = self.organization_token(actor, short_name, id).await?;
        if !token.is_valid_at(self.clock.now()) {
            return Err(Failure::Conflict(
                "This token has expired, and another text would be dead too. Give it another last day first."
                    .into(),
            ));
        }
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

    async fn token_insert(&self, owner: TokenOwner, typed: Typed) -> Result<NewToken, Failure> {
        let secret = owner.token(typed.access, entropy::bytes());
        let token = Token {
            id: entropy::id(),
            owner,
            access: typed.access,
            description: typed.description,
            secret_hash: SecretHash::of(&secret),
            created_at: self.clock.now(),
            expires_at: typed.expires_at,
            selection: typed.selection,
            addresses: typed.addresses,
            used_at: None,
            used_from: None,
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
            used_from: None,
            ..token
        };
        self.storage.token_regenerate(token.id, &token.secret_hash, token.created_at).await?;
        Ok(NewToken { token, secret, username: "token".into() })
    }
}

impl Typed {
    /// A person's own: it may what they may, from everywhere, for as long as they like.
    fn of_user() -> Self {
        Self {
            description: "user token".into(),
            access: TokenAccess::Update,
            selection: None,
            addresses: Addresses::default(),
            expires_at: None,
        }
    }
}

/// What is different, in words for the Log; `None` if nothing is.
fn changes(before: &Token, after: &Token) -> Option<String> {
    let changed = [
        (before.description != after.description, "the description"),
        (before.selection != after.selection, "the packages"),
        (before.addresses != after.addresses, "the addresses"),
        (before.expires_at != after.expires_at, "the last day"),
    ];
    let words: Vec<&str> = changed.into_iter().filter_map(|(is_so, words)| is_so.then_some(words)).collect();
    match words.as_slice() {
        [] => None,
        [one] => Some((*one).to_owned()),
        [start @ .., last] => Some(format!("{} and {last}", start.join(", "))),
    }
}
