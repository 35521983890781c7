//! The tests: one binary.

// the AT Protocol formats, against the protocol's own vectors
#[cfg(test)]
mod atproto;

// posts composed for each platform, read as a run reads them
#[cfg(test)]
mod platforms;

// PDFs made to hurt, through the binary
#[cfg(test)]
mod hostile_pdf;

// the house's rules: who imports whom, who may touch the outside
#[cfg(test)]
mod layers;

// what a person at a terminal meets: usage, settings, completions, manual pages
#[cfg(test)]
mod face;

// the wire: exact bytes, bounds, TLS and the guard, against raw loopback servers
#[cfg(test)]
mod wire;

// WARC files of ours before readers that are not
#[cfg(test)]
mod warc;

// what is cited in a text: scored against annotated forms and statements
#[cfg(test)]
mod citations;
// signatures of e-mails: every way they hold and fail, with a name server on loopback
#[cfg(test)]
mod dkim;

// timestamp tokens of `openssl ts`, good and bad
#[cfg(test)]
mod timestamps;

// whole pursuits as plain values: what each citation comes to in a small world of answers
#[cfg(test)]
mod resolution;

// every answer of the Wayback Machine that the fixtures hold, told for what it is
#[cfg(test)]
mod wayback;
// anchoring against authorities and calendars on loopback
#[cfg(test)]
mod anchors;
// a randomness beacon on loopback opens runs, or lies and opens none
#[cfg(test)]
mod beacon;

// composed Bluesky accounts of the loopback platforms, before our own verifier
#[cfg(test)]
mod composed;
// the verifier in Python, which shares no code with ours
#[cfg(test)]
mod second_verifier;

// quoted posts against captured ones: annotated statements and their findings
#[cfg(test)]
mod findings;

// X: every shape of a post, live and archived, and every refusal
#[cfg(test)]
mod x;

// links and quoted posts, from the statement to the finding, through the real binary against the loopback platforms
#[cfg(test)]
mod links;

// the frozen world, and the checker that proves a whole archive after every step
#[cfg(test)]
mod world;

// the main job end to end, through the real binary and the loopback platforms
#[cfg(test)]
mod corridor;

// the WARC files of whole runs, replayed by pywb
#[cfg(test)]
mod replay;

// bad input: one clear line, its exit code, and nothing changed
#[cfg(test)]
mod bad_input;

// checkpoints, bundles, anchors and keys through the real binary
#[cfg(test)]
mod evidence;

// queries, showing, comparing, sums and SQL over a composed archive, through the real binary
#[cfg(test)]
mod questions;

// the attack corpus: every way to tamper with an archive, and the name it is given
#[cfg(test)]
mod tamper;
// an archive cut off anywhere: killed processes, failing disks, full and read-only ones
#[cfg(test)]
mod crash;

// every bound as a setting, crossed through the real binary
#[cfg(test)]
mod limits;

// the daemon: schedules, inbox, feeds, intake, changes and notices, through the real process
#[cfg(test)]
mod daemon;
