//! When a pass begins: at once for whoever is alone, with company where many come.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::work::seal::Order;

/// How long a pass waits for company once it has work, where there was none for a while: a single citation is durable well
/// within 50 ms of its last byte.
const LINGER: Duration = Duration::from_millis(4);
/// From the end of one pass to the beginning of the next under load, so that many citations share its syncs: what a pass costs
/// beside its rows (five syncs, a checkpoint, pages of the catalogue written again) is then a few percent of a busy run.
const INTERVAL: Duration = Duration::from_millis(80);
/// The same while more citations wait to be begun, none of which waits for this pass. In a large catalogue each row of an index goes
/// to another page: the more rows share a pass, the fewer pages are written.
const LONG_INTERVAL: Duration = Duration::from_millis(240);
/// Deeds that no longer wait for more: whoever follows citations does not begin ever more of them while these wait.
const ENOUGH: usize = 128;

/// How long a pass waits for company: by how long ago the last one ended, how many deeds it carried, and whether more will come.
/// Whoever is alone waits no longer than that takes to see.
fn pause(last: Option<(Duration, usize)>, more: bool) -> Duration {
    match last {
        Some((since, carried)) if carried > 1 => {
            LINGER.max(if more { LONG_INTERVAL } else { INTERVAL }.saturating_sub(since))
        }
        _ => LINGER,
    }
}

/// Where orders come in.
pub(super) struct Inbox {
    orders: mpsc::UnboundedReceiver<Order>,
    more: Arc<AtomicBool>,
}

impl Inbox {
    /// Takes `orders`; `more` is true while more will come, whatever becomes of these.
    pub(super) fn new(orders: mpsc::UnboundedReceiver<Order>, more: Arc<AtomicBool>) -> Self {
        Self { orders, more }
    }

    /// The first of a pass, waited for; none once nobody can hand in any more.
    pub(super) fn first(&mut self) -> Option<Order> {
        self.orders.blocking_recv()
    }

    /// One more that is here already.
    pub(super) fn next(&mut self) -> Option<Order> {
        self.orders.try_recv().ok()
    }

    /// Lets company come in before the next pass; the last one ended so long ago and carried so many.
    pub(super) fn gather(&self, last: Option<(Duration, usize)>) {
        let mut waited = Duration::ZERO;
        while self.is_expected(waited, last) {
            std::thread::sleep(LINGER);
            waited += LINGER;
        }
    }

    fn is_expected(&self, waited: Duration, last: Option<(Duration, usize)>) -> bool {
        waited < pause(last, self.more.load(Relaxed)) && self.orders.len() < ENOUGH && !self.orders.is_closed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::work::seal::{Deed, What};

    #[test]
    fn only_a_crowd_waits_for_a_crowd() {
        let ms = Duration::from_millis;
        for more in [false, true] {
            assert_eq!(pause(None, more), LINGER);
            assert_eq!(pause(Some((ms(0), 1)), more), LINGER);
            assert_eq!(pause(Some((ms(5000), 200)), more), LINGER);
        }
        assert_eq!(pause(Some((ms(10), 2)), false), INTERVAL - ms(10));
        assert_eq!(pause(Some((ms(10), 2)), true), LONG_INTERVAL - ms(10));
    }

    #[test]
    fn whoever_has_company_enough_waits_no_longer() {
        let (send, orders) = mpsc::unbounded_channel();
        let inbox = Inbox::new(orders, Arc::new(AtomicBool::new(true)));
        let crowd = Some((Duration::ZERO, 2));
        let hand_in = || {
            let (done, _) = tokio::sync::oneshot::channel();
            assert!(send.send(Order { what: What::Deed(Deed::default()), done }).is_ok());
        };
        (1..ENOUGH).for_each(|_| hand_in());
        assert!(inbox.is_expected(INTERVAL, crowd));
        assert!(!inbox.is_expected(LONG_INTERVAL, crowd));
        inbox.more.store(false, Relaxed);
        assert!(!inbox.is_expected(INTERVAL, crowd), "nobody else will come");
        inbox.more.store(true, Relaxed);
        hand_in();
        assert!(!inbox.is_expected(Duration::ZERO, crowd));
    }

    #[test]
    fn nobody_is_waited_for_when_the_archive_closes() {
        let (send, orders) = mpsc::unbounded_channel::<Order>();
        let inbox = Inbox::new(orders, Arc::new(AtomicBool::new(true)));
        assert!(inbox.is_expected(Duration::ZERO, None));
        drop(send);
        assert!(!inbox.is_expected(Duration::ZERO, None));
    }
}
