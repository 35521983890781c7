//! The watcher: waits, without looking, until something happens in one of some folders.
//!
//! On Linux the kernel tells (inotify); elsewhere, and where it cannot tell (a network file system), the folders are worth
//! a look now and then, which is the caller's affair.

use std::io;
use std::path::PathBuf;

/// Folders that are watched.
#[derive(Debug)]
pub struct Watcher {
    #[cfg(target_os = "linux")]
    kernel: tokio::net::unix::pipe::Receiver,
}

#[cfg(target_os = "linux")]
impl Watcher {
    /// Watches `folders`. The second value names those that cannot be watched, and why.
    ///
    /// # Errors
    /// The kernel watches nothing at all for us.
    pub fn over(folders: &[PathBuf]) -> io::Result<(Self, Vec<(PathBuf, io::Error)>)> {
        use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
        let fd = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        // A file is complete when its writer closes it, when it is moved here, or when it is linked.
        let events = WatchFlags::CLOSE_WRITE | WatchFlags::MOVED_TO | WatchFlags::CREATE | WatchFlags::ONLYDIR;
        let mut failed = Vec::new();
        for folder in folders {
            if let Err(error) = inotify::add_watch(&fd, folder, events) {
                failed.push((folder.clone(), error.into()));
            }
        }
        // The kernel's queue is read as a pipe is.
        Ok((Self { kernel: tokio::net::unix::pipe::Receiver::from_owned_fd_unchecked(fd)? }, failed))
    }

    /// Ends when something has happened. Cancelling it loses nothing.
    pub async fn stirred(&mut self) {
        if self.kernel.readable().await.is_err() {
            return std::future::pending().await;
        }
        // What happened does not matter, only that something did; all of it is taken off the queue.
        let mut events = [0; 4096];
        while self.kernel.try_read(&mut events).is_ok_and(|n| n > 0) {}
    }
}

#[cfg(not(target_os = "linux"))]
impl Watcher {
    /// Nothing watches here.
    ///
    /// # Errors
    /// None.
    pub fn over(_folders: &[PathBuf]) -> io::Result<(Self, Vec<(PathBuf, io::Error)>)> {
        Ok((Self {}, Vec::new()))
    }

    /// Ends now and then: a look is worth while.
    pub async fn stirred(&mut self) {
        tokio::time::sleep(std::time::Duration::from_secs(10)).await;
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn a_new_file_stirs_and_a_missing_folder_is_named() -> io::Result<()> {
        let dir = tempfile::tempdir()?;
        let none = dir.path().join("none");
        let (mut watcher, failed) = Watcher::over(&[dir.path().to_owned(), none.clone()])?;
        assert_eq!(failed.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>(), [none]);
        let still = tokio::time::timeout(Duration::from_millis(50), watcher.stirred()).await;
        assert!(still.is_err(), "nothing happened");
        std::fs::write(dir.path().join("a"), "b")?;
        assert!(tokio::time::timeout(Duration::from_secs(30), watcher.stirred()).await.is_ok());
        Ok(())
    }
}
