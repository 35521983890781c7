//! How many bytes are looked at, counted under test only: what is linear is shown to stay so by counting, not by the clock.

#[cfg(test)]
thread_local! {
    static LOOKED_AT: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Notes that `bytes` of a text were looked at.
#[inline]
pub(crate) fn looked_at(bytes: usize) {
    #[cfg(test)]
    LOOKED_AT.set(LOOKED_AT.get().saturating_add(bytes));
    #[cfg(not(test))]
    let _ = bytes;
}

/// What was looked at on this thread while `work` was done.
#[cfg(test)]
pub(crate) fn counted(work: impl FnOnce()) -> usize {
    LOOKED_AT.set(0);
    work();
    LOOKED_AT.get()
}
