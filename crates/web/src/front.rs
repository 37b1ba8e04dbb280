//! The front of everything: what Composer asks for and is in memory is answered here, and all else goes on to the router.
//!
//! Such an answer takes little, and routing, extracting and the layers take as much again (docs/performance.md).

use crate::{composer, request::observed_at_once};
use axum::{Router, extract::Request, response::Response, routing::future::RouteFuture};
use futures::future::{Either, Ready, ready};
use stave_app::App;
use std::{
    convert::Infallible,
    task::{Context, Poll},
};
use tower::Service;

/// Everything that is answered over HTTP.
#[derive(Clone)]
pub struct Front {
    app: App,
    router: Router,
}

impl Front {
    /// A front before all pages and endpoints. Serve it with `into_make_service_with_connect_info::<SocketAddr>()`, so that the
    /// list of log-ins can say from where.
    #[must_use]
    pub fn new(app: App) -> Self {
        Self { router: crate::router(app.clone()), app }
    }
}

impl Service<Request> for Front {
    type Response = Response;
    type Error = Infallible;
    type Future = Either<Ready<Result<Response, Infallible>>, RouteFuture<Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        match observed_at_once(&request, || composer::at_once(&self.app, &request)) {
            Some(response) => Either::Left(ready(Ok(response))),
            None => Either::Right(self.router.call(request)),
        }
    }
}
