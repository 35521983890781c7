//! Drives a sans-I/O step: makes the requests it asks for, tells it what came, until it is done.

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::resolution::exchange::Exchange;
use crate::resolution::hop::{Ask, Step};
use crate::work::fault::Fault;

/// Makes exchanges: keeping them ([`Capture`](crate::work::capture::Capture)) or not ([`Look`](crate::work::capture::Look)).
pub trait Fetch: Send + Sync + 'static {
    /// One exchange, tries and all. An answer that does not come is in it; only what stops the whole deed is an error.
    fn fetch(self: Arc<Self>, ask: Ask) -> impl Future<Output = Result<Exchange, Fault>> + Send;
}

/// Drives `step` to its end. `seen` is told of every ask as it is made.
///
/// # Errors
/// What stops the deed: the vault, never the network.
pub async fn drive<S: Step, F: Fetch>(
    mut step: S,
    fetch: &Arc<F>,
    mut seen: impl FnMut(&Ask),
) -> Result<S::Out, Fault> {
    let mut flying: JoinSet<Result<(u32, Exchange), Fault>> = JoinSet::new();
    loop {
        let mut asks = step.asks();
        asks.iter().for_each(&mut seen);
        if flying.is_empty() && asks.len() == 1 {
            // The usual case, a chain: no task is made for it.
            if let Some(ask) = asks.pop() {
                let id = ask.id;
                let exchange = fetch.clone().fetch(ask).await?;
                step.learn(id, exchange);
                continue;
            }
        }
        for ask in asks {
            let fetch = fetch.clone();
            flying.spawn(async move { Ok((ask.id, fetch.fetch(ask).await?)) });
        }
        match flying.join_next().await {
            Some(Ok(landed)) => {
                let (id, exchange) = landed?;
                step.learn(id, exchange);
            }
            Some(Err(_)) => return Err(Fault::Broken("a fetch died")),
            None if step.done() => return Ok(step.finish()),
            None => return Err(Fault::Broken("a step neither asks nor ends")),
        }
    }
}
