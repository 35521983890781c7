//! Memory that was let go of is given back: what a long list took for a moment is not kept for the rest of a run.
//!
//! glibc gives every thread a heap of its own, and none of them uses what lies free in another: what the reading of a statement took
//! stays with the thread that read it. And whoever once lets go of a large piece is taken to want large pieces again, which from
//! then on, up to 32 MiB, lie on those heaps.

/// Pieces from here on are the system's own, and go back to it at once: longer than nearly all pages and pictures.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const LARGE: libc::c_int = 512 << 10;
/// So much may lie free at a heap's end.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const FREE: libc::c_int = 1 << 20;

/// One heap for all threads, large pieces apart; to be said before there are threads. Elsewhere than with glibc nothing is done:
/// other allocators have manners of their own.
#[cfg_attr(
    all(target_os = "linux", target_env = "gnu"),
    expect(unsafe_code, reason = "glibc's own interface; MALLOC_ARENA_MAX and the like can only be set from outside")
)]
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    for (what, value) in [(libc::M_ARENA_MAX, 1), (libc::M_MMAP_THRESHOLD, LARGE), (libc::M_TRIM_THRESHOLD, FREE)] {
        // SAFETY: it takes two numbers and locks the allocator itself. One that it refuses leaves things as they are.
        let _ = unsafe { libc::mallopt(what, value) };
    }
}
