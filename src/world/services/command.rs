//! Commands: a program is started and given a notice on its standard input.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;

/// How much of what a program says is told to people, bytes.
const SAID: usize = 500;

/// Why a program did not take the notice.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// there is none
    #[error("the command is empty")]
    Empty,
    /// it cannot be started or spoken to
    #[error("run {0}")]
    Run(String, #[source] std::io::Error),
    /// it ended badly
    #[error("{program} ended with {status}{said}")]
    Ended {
        /// which
        program: String,
        /// how
        status: std::process::ExitStatus,
        /// what it said, after a colon
        said: String,
    },
    /// it did not end
    #[error("{0} did not end within {1:?}")]
    TooLong(String, Duration),
}

/// Runs `command` with `input` on its standard input; it is taken when it ends with 0. A program that does not end in time is
/// killed.
///
/// # Errors
/// As [`Error`] has it.
pub async fn run(command: &[String], input: &[u8], within: Duration) -> Result<(), Error> {
    let (program, arguments) = command.split_first().ok_or(Error::Empty)?;
    let failed = |e| Error::Run(program.clone(), e);
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let stdin = child.stdin.take();
    let spoken = async {
        if let Some(mut stdin) = stdin {
            // A program that does not read to the end, and ends well, has taken it all the same.
            let _ = stdin.write_all(input).await;
            drop(stdin);
        }
        child.wait_with_output().await
    };
    let output = match tokio::time::timeout(within, spoken).await {
        Ok(output) => output.map_err(failed)?,
        Err(_) => return Err(Error::TooLong(program.clone(), within)),
    };
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(output.stderr.get(..output.stderr.len().min(SAID)).unwrap_or_default());
    let said = said.trim();
    let said = if said.is_empty() { String::new() } else { format!(": {said}") };
    Err(Error::Ended { program: program.clone(), status: output.status, said })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Vec<String> {
        ["sh", "-c", script].map(str::to_owned).to_vec()
    }

    #[tokio::test]
    async fn a_program_gets_the_notice_and_its_end_is_told() {
        let long = Duration::from_secs(60);
        assert!(run(&sh("test \"$(cat)\" = 'a notice'"), b"a notice", long).await.is_ok());
        assert!(run(&sh("exit 0"), &vec![b'x'; 1 << 20], long).await.is_ok(), "not reading is no failure");
        let ended = run(&sh("echo no room >&2; exit 3"), b"", long).await.unwrap_err().to_string();
        assert!(ended.contains("3: no room"), "{ended}");
        assert!(matches!(run(&sh("sleep 60"), b"", Duration::from_millis(50)).await, Err(Error::TooLong(..))));
        assert!(matches!(run(&["/no/such".to_owned()], b"", long).await, Err(Error::Run(..))));
        assert!(matches!(run(&[], b"", long).await, Err(Error::Empty)));
    }
}
