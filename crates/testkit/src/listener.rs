//! A router that answers on loopback, on a thread of its own, until it is dropped.

use axum::Router;
use std::net::{SocketAddr, TcpListener};
use tokio::{
    runtime::{Builder, Handle, Runtime},
    sync::oneshot,
};

/// A server that is running.
pub(crate) struct Listener {
    address: SocketAddr,
    /// Dropped with the listener, which stops the server.
    _stop: oneshot::Sender<()>,
}

impl Listener {
    /// Takes the socket first and asks for the router then, because the router knows its own address.
    pub(crate) fn start(address: SocketAddr, router: impl FnOnce(SocketAddr, Handle) -> Router) -> Self {
        let socket = TcpListener::bind(address).unwrap_or_else(|error| {
            panic!("The test server cannot listen on {address}: {error}. Choose another port, or 0 for a free one.")
        });
        let address = socket.local_addr().expect("a bound socket has an address");
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("testkit")
            .enable_all()
            .build()
            .expect("the machine gives the test server a thread");
        let router = router(address, runtime.handle().clone());
        let (stop, stopped) = oneshot::channel();
        std::thread::spawn(move || serve(&runtime, socket, router, stopped));
        Self { address, _stop: stop }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Requests that are still open when the listener is dropped are cut: a test that has ended does not wait for them.
fn serve(runtime: &Runtime, socket: TcpListener, router: Router, stopped: oneshot::Receiver<()>) {
    runtime.block_on(async move {
        socket.set_nonblocking(true).expect("a socket can be switched to non-blocking");
        let socket = tokio::net::TcpListener::from_std(socket).expect("the runtime takes the socket");
        tokio::select! {
            result = axum::serve(socket, router) => result.expect("the test server goes on"),
            _ = stopped => {}
        }
    });
}
