//! What libraries read on our behalf: a panic of theirs is one more way of being unreadable, and is not printed.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    /// something is being read on this thread: what panics here is caught and told of in another way
    static READING: Cell<bool> = const { Cell::new(false) };
}

/// What `work` makes; none where it panics, of which nothing is printed. Panics elsewhere are reported as before.
pub(super) fn contained<T>(work: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !READING.get() {
                report(panic);
            }
        }));
    });
    let before = READING.replace(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    READING.set(before);
    done.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_while_reading_is_silent_and_others_are_not() {
        assert_eq!(contained(|| READING.get()), Some(true));
        assert_eq!(contained(|| std::panic::resume_unwind(Box::new(()))), None::<()>);
        assert!(!READING.get());
    }
}
