//! The doorway: where this process listens.

use std::io;
use std::net::SocketAddr;

/// A port that is listened on.
#[derive(Debug)]
pub struct Doorway {
    listener: tokio::net::TcpListener,
    at: SocketAddr,
}

impl Doorway {
    /// Listens at `at`; port 0 takes a free one.
    ///
    /// # Errors
    /// The address is taken, or not ours.
    pub async fn open(at: SocketAddr) -> io::Result<Self> {
        let listener = tokio::net::TcpListener::bind(at).await?;
        let at = listener.local_addr()?;
        Ok(Self { listener, at })
    }

    /// Where.
    pub fn at(&self) -> SocketAddr {
        self.at
    }

    /// Answers with `router` until `stop` ends; what is being answered then is finished.
    ///
    /// # Errors
    /// What the system says.
    pub async fn answer(self, router: axum::Router, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        axum::serve(self.listener, router).with_graceful_shutdown(stop).await
    }
}
