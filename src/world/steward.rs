//! The steward of the machine's services: systemd is told when this one is ready, reloads, stops and is well.
//!
//! Where `NOTIFY_SOCKET` is not set nobody is told, and that is no error.

use std::time::Duration;

use sd_notify::NotifyState;

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!("systemd was not told: {error}");
    }
}

/// It is up; `status` is a line for people.
pub fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// What it is doing, for people.
pub fn status(status: &str) {
    tell(&[NotifyState::Status(status)]);
}

/// It reads its settings again; [`ready`] ends that.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

/// It ends, and takes up to `within` for that.
pub fn stopping(within: Duration) {
    let micros = u32::try_from(within.as_micros()).unwrap_or(u32::MAX);
    tell(&[NotifyState::Stopping, NotifyState::ExtendTimeoutUsec(micros)]);
}

/// It is well.
pub fn well() {
    tell(&[NotifyState::Watchdog]);
}

/// How often [`well`] must be said; none where nobody waits for it. Half of what systemd allows, as it advises.
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|allowed| allowed / 2).filter(|every| !every.is_zero())
}
