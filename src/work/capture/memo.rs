//! The reading copies of a run, so that two citations of one link rest on one exchange.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use tokio::sync::OnceCell;

use crate::format::http::Request;
use crate::resolution::exchange::Exchange;

/// Copies remembered.
const REMEMBERED: usize = 512;
/// And their bytes.
const REMEMBERED_BYTES: usize = 8 << 20;

pub(super) type Cell = Arc<OnceCell<Exchange>>;

/// Exchanges of this run by what was asked; the oldest go first.
#[derive(Default)]
pub(super) struct Memo {
    cells: HashMap<Asked, (Cell, usize)>,
    order: VecDeque<Asked>,
    bytes: usize,
}

type Asked = (String, Vec<(String, String)>);

impl Memo {
    pub(super) fn cell(&mut self, request: &Request) -> Cell {
        let key = (request.url.as_str().to_owned(), request.headers.clone());
        if let Some((cell, _)) = self.cells.get(&key) {
            return cell.clone();
        }
        let cell = Cell::default();
        self.cells.insert(key.clone(), (cell.clone(), 0));
        self.order.push_back(key);
        cell
    }

    pub(super) fn weigh(&mut self, request: &Request, size: usize) {
        let key = (request.url.as_str().to_owned(), request.headers.clone());
        if let Some((_, weight)) = self.cells.get_mut(&key) {
            self.bytes = self.bytes - *weight + size;
            *weight = size;
        }
        while self.order.len() > REMEMBERED || self.bytes > REMEMBERED_BYTES {
            let Some(oldest) = self.order.pop_front() else { break };
            if let Some((_, weight)) = self.cells.remove(&oldest) {
                self.bytes -= weight;
            }
        }
    }
}
