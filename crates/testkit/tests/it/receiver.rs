//! Where deliveries arrive.

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
};
use serde_json::Value;
use std::sync::{Arc, Mutex};

/// Takes deliveries and answers with the next of these statuses, then 200.
#[derive(Clone, Default)]
pub(crate) struct Receiver {
    statuses: Arc<Mutex<Vec<u16>>>,
    received: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
}

impl Receiver {
    /// Answers the next deliveries so.
    pub(crate) fn answer(&self, statuses: &[u16]) {
        *self.statuses.lock().unwrap() = statuses.to_vec();
    }

    /// Listens at the URL that it gives.
    pub(crate) async fn start(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(receive).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}/hook")
    }

    /// What came since the last time.
    pub(crate) fn take(&self) -> Vec<(HeaderMap, Value)> {
        std::mem::take(&mut self.received.lock().unwrap())
    }
}

async fn receive(State(receiver): State<Receiver>, request: Request) -> StatusCode {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    receiver.received.lock().unwrap().push((parts.headers, serde_json::from_slice(&body).unwrap()));
    let mut statuses = receiver.statuses.lock().unwrap();
    StatusCode::from_u16(if statuses.is_empty() { 200 } else { statuses.remove(0) }).unwrap()
}
