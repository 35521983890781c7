//! What an edited post said otherwise: where the quoted words are not the ones captured, the other versions are asked for, each
//! by its own id.

use std::collections::VecDeque;

use crate::platform::post::{Platform, PostName, Version};
use crate::platform::reader::Read;
use crate::platform::x::reader::XReader;
use crate::resolution::judge::Judged;
use crate::resolution::pursuit::Pursuit;

impl Pursuit {
    /// The post is had. X keeps every version of an edited one under an id of its own; other platforms give theirs with the post.
    pub(super) fn look_for_versions(&mut self, judged: Judged) {
        let quest = self.quest.as_ref().filter(|_| self.limits.platform);
        let post = self.out.post.as_ref().filter(|post| post.name.platform == Platform::X && post.versions.len() > 1);
        let (Some(quest), Some(post)) = (quest, post) else { return self.look_for_identity(judged) };
        if quest.likeness(post) >= 1.0 {
            return self.look_for_identity(judged);
        }
        let others = post.versions.iter().rev().filter(|id| **id != post.name.id);
        self.versions = Some(others.cloned().collect());
        self.judged = Some(judged);
        self.next_version();
    }

    fn next_version(&mut self) {
        let next = self.versions.as_mut().and_then(VecDeque::pop_front);
        match next.filter(|_| self.left() > 0) {
            Some(id) => {
                self.reader = Some(Box::new(XReader::new(&id, false)));
                self.pump_reader();
            }
            None => {
                let left_out = self.versions.take().unwrap_or_default();
                if !left_out.is_empty() {
                    self.out.notes.push(format!("versions left out, for the requests are used up: {}", left_out.len()));
                }
                let judged =
                    self.judged.take().unwrap_or_else(|| Judged::new(crate::resolution::ending::Ending::Captured, ""));
                self.look_for_identity(judged);
            }
        }
    }

    /// One version was read, or was not to be had.
    pub(super) fn version_read(&mut self, read: Read) {
        match (read.post, &mut self.out.post) {
            (Some(version), Some(post)) => {
                let PostName { id, .. } = version.name;
                post.others
                    .insert(0, Version { id: Some(id), at: version.id_time.or(version.posted), text: version.text });
            }
            _ => self.out.notes.push(format!("another version was not to be had: {}", read.why)),
        }
        self.next_version();
    }
}
